/** Opens the connection pool; everything that speaks SQL takes it as its first argument. */
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { Secret } from '../model/secret.ts';
import { cancelBackend } from './cancelBackend.ts';
import { isRetryable } from './failure.ts';
import { GuardedClient } from './guardedClient.ts';

export type Database = pg.Pool;

export interface PoolOptions {
  readonly url: Secret;
  /** Connections at most. */
  readonly size: number;
  /** Told of a connection that broke while nobody used it; the pool replaces it by itself. */
  readonly onIdleError: (error: Error) => void;
  /** For a free connection, or a new one. Default 5 s. */
  readonly waitMs?: number;
  /** For a statement. Default 60 s. */
  readonly queryTimeoutMs?: number;
}

/** node-postgres's words for a statement that was not answered in time. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

/**
 * Nothing is sent before the first query. All statements are unnamed and none leaves state in its session, so a
 * pooler in transaction mode may stand between; what a statement needs of its session goes along with it, see guardedClient.ts.
 */
export function makePool({
  url,
  size,
  onIdleError,
  waitMs = 5_000,
  queryTimeoutMs = 60_000,
}: PoolOptions): Database {
  const pool = new RetryingPool({
    Client: GuardedClient,
    connectionString: url.reveal(),
    max: size,
    application_name: 'audit-export',
    connectionTimeoutMillis: waitMs,
    // A network that swallows packets must end in an error, not in a wait without end. Counting a large backlog is
    // the longest statement there is.
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    idleTimeoutMillis: 30_000,
  });
  pool.on('error', onIdleError);
  // A client in use has no listener of the pool's: when its socket breaks the statement rejects, and the client's own
  // 'error' event would end the process besides.
  pool.on('connect', (client) => client.on('error', () => {}));
  // Each would go on waiting for its lock while its statement is asked again on another connection.
  pool.on('release', (error, client) => {
    if (isTimeout(error)) cancelBackend(client as unknown as Parameters<typeof cancelBackend>[0]);
  });
  return pool;
}

/** Statements of their own are tried so many times. */
const mostTries = 8;

/**
 * Runs a statement again that lost against another transaction (serialization failure, deadlock): nothing of it has happened. Under
 * `default_transaction_isolation = serializable` that is usual.
 */
class RetryingPool extends pg.Pool {
  override query(...statement: unknown[]): never {
    const ask = super.query.bind(this) as (...args: unknown[]) => Promise<pg.QueryResult>;
    // With a callback, or an object of one's own: as node-postgres has it.
    if (typeof statement[0] !== 'string' || typeof statement.at(-1) === 'function')
      return ask(...statement) as never;
    const tryAgain = async (): Promise<pg.QueryResult> => {
      for (let tries = 1; ; tries++) {
        try {
          return await ask(...statement);
        } catch (error) {
          if (tries === mostTries || !isRetryable(error)) throw error;
          await setTimeout(Math.random() * 10 * 2 ** tries);
        }
      }
    };
    return tryAgain() as never;
  }
}

/** Opens the connection pool; all code that runs SQL takes it as its first argument. */
import { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { Secret } from '../model/secret.ts';
import { cancelBackend } from './cancelBackend.ts';
import { isRetryable } from './failure.ts';
import { GuardedClient } from './guardedClient.ts';
import { MessageSocket } from './messageSocket.ts';

export type Database = pg.Pool;

export interface PoolOptions {
  /** Asked for each new connection: see followUrl.ts. */
  readonly url: () => Secret;
  /** Maximum number of connections. */
  readonly size: number;
  /** Called when an idle connection breaks; the pool replaces it. */
  readonly onIdleError: (error: Error) => void;
  /** Time limit for getting a connection. Default 5 s. */
  readonly waitMs?: number;
  /** Time limit for a statement. Default 60 s. */
  readonly queryTimeoutMs?: number;
}

/** node-postgres's message for a statement that was not answered in time. */
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout';

/**
 * Nothing is sent before the first query. All statements are unnamed and none leaves state in its session, so a
 * pooler in transaction mode can be used; each statement brings the session settings it needs, see guardedClient.ts.
 */
export function makePool({
  url,
  size,
  onIdleError,
  waitMs = 5_000,
  queryTimeoutMs = 60_000,
}: PoolOptions): Database {
  const pool = new RetryingPool({
    Client: makeClientClass(url),
    connectionString: url().reveal(),
    max: size,
    application_name: 'audit-export',
    connectionTimeoutMillis: waitMs,
    // A network that drops packets must cause an error, not an endless wait. Counting a large backlog is
    // the longest statement there is.
    query_timeout: queryTimeoutMs,
    stream: makeSocket as never,
    keepAlive: true,
    idleTimeoutMillis: 30_000,
  });
  pool.on('error', onIdleError);
  // The pool does not listen on a client in use: when its socket breaks the statement rejects, and the client's own
  // 'error' event would also end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  // Otherwise each would keep waiting for its lock while its statement runs again on another connection.
  pool.on('release', (error, client) => {
    if (isTimeout(error)) cancelBackend(client as unknown as Parameters<typeof cancelBackend>[0]);
  });
  return pool;
}

/** node-postgres passes what its types do not say. */
function makeSocket({ ssl }: { readonly ssl?: unknown }): Socket {
  return ssl ? new Socket() : new MessageSocket();
}

/** Clients that connect by what `url` gives at that moment. */
function makeClientClass(url: () => Secret): typeof GuardedClient {
  return class extends GuardedClient {
    constructor(config: pg.ClientConfig) {
      super({ ...config, connectionString: url().reveal() });
    }
  };
}

/** How often a statement outside a transaction is tried. */
const mostTries = 8;

/**
 * Repeats a statement that lost against another transaction (serialization failure, deadlock), so that it had no effect. Under
 * `default_transaction_isolation = serializable` that is usual.
 */
class RetryingPool extends pg.Pool {
  override query(...statement: unknown[]): never {
    const ask = super.query.bind(this) as (...args: unknown[]) => Promise<pg.QueryResult>;
    // With a callback, or a query object: as node-postgres does it.
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

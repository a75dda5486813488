/** Reads for people: in one snapshot, without writing, each with a time limit. */
import pg from 'pg';
import { errorCode } from '../basics/errorCode.ts';
import { guardStatements } from './guardedClient.ts';
import type { Database } from './pool.ts';

export interface Reader {
  /** Ends at the timeout with SQLSTATE 57014; see `isTimeout`. After any error no further statement can run. */
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** As `query`, a row at a time: of a statement that ends at the timeout, those that came before. */
  each<R extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[],
    onRow: (row: R) => void,
  ): Promise<void>;
  /** Changes the limit for the statements that follow. */
  setTimeout(ms: number): Promise<void>;
}

/**
 * Runs `work` in a read-only transaction of one snapshot; `timeoutMs` bounds each of its statements.
 *
 * Never scans the whole table, whatever the planner believes: every statement here can follow an index, in its order. A bitmap of
 * the index would read a whole range to return the first rows. Compiling a plan and starting workers cost more than a page may take.
 */
export async function boundedRead<T>(
  db: Database,
  timeoutMs: number,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  const client = await db.connect();
  const setTimeout = async (ms: number): Promise<void> => {
    await client.query(`set local statement_timeout = ${Math.max(1, Math.ceil(ms))}`);
  };
  let isBroken = false;
  try {
    await client.query(
      `begin isolation level repeatable read read only; ${guardStatements} set local jit = off; set local enable_seqscan = off; set local enable_bitmapscan = off;
       set local max_parallel_workers_per_gather = 0; set local statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`,
    );
    return await work({
      query: async (text, values = []) => (await client.query(text, [...values])).rows,
      each: <R extends pg.QueryResultRow>(
        text: string,
        values: readonly unknown[],
        onRow: (row: R) => void,
      ) =>
        new Promise<void>((resolve, reject) => {
          // By callback: with a time limit of its own, node-postgres emits no event of an error.
          const done = (error: Error | null) => (error ? reject(error) : resolve());
          const query = new pg.Query<R>(text, [...values], done as never);
          query.on('row', onRow);
          client.query(query);
        }),
      setTimeout,
    });
  } finally {
    try {
      // A time limit that is reached in the very last moment of a transaction ends the statement after it (Postgres keeps the
      // signal for later). So that this is none of the next borrower's, an empty one follows, without a limit.
      await client.query('rollback; select');
    } catch {
      isBroken = true;
    }
    client.release(isBroken);
  }
}

/** Whether the statement reached its time limit. */
export function isTimeout(error: unknown): boolean {
  return errorCode(error) === '57014';
}

/** Whether an entry was too much for Postgres: its memory, its own limits, or the time limit. Reading fewer entries may work. */
export function isTooMuch(error: unknown): boolean {
  return /^(?:54000|53200|57014|22\w{3})$/.test(errorCode(error));
}

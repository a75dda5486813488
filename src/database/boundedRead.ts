/** Reads for people: in one snapshot, without writing, none longer than it may take. */
import type pg from 'pg';
import { errorCode } from '../basics/errorCode.ts';
import type { Database } from './pool.ts';

export interface Reader {
  /** Ends at the timeout with SQLSTATE 57014; see `isTimeout`. After any error only `boundedRead`'s end is left. */
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** For the statements that follow. */
  setTimeout(ms: number): Promise<void>;
}

/**
 * Runs `work` in a read-only transaction of one snapshot; `timeoutMs` bounds each of its statements.
 *
 * Never the whole table, whatever the planner believes: every statement here has an index to go by, in the index's order. A bitmap of
 * it would read a whole range to return the first rows. Compiling a plan and starting workers cost more than a page may take.
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
      `begin isolation level repeatable read read only; set local jit = off; set local enable_seqscan = off; set local enable_bitmapscan = off;
       set local max_parallel_workers_per_gather = 0; set local statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`,
    );
    return await work({
      query: async (text, values = []) => (await client.query(text, [...values])).rows,
      setTimeout,
    });
  } finally {
    try {
      await client.query('rollback');
    } catch {
      isBroken = true;
    }
    client.release(isBroken);
  }
}

/** The statement took longer than it may. */
export function isTimeout(error: unknown): boolean {
  return errorCode(error) === '57014';
}

/** An entry was too much for Postgres: by its memory, by a limit of its own, or by the time that it may take. Fewer may do. */
export function isTooMuch(error: unknown): boolean {
  return /^(?:54000|53200|57014|22\w{3})$/.test(errorCode(error));
}

/** Which read errors one row's contents may cause, and whether the database works otherwise. */
import { copyOut } from './copyOut.ts';
import type { Database } from './pool.ts';

/** `value`: the row's value causes it every time. `storage`: the data on disk causes it. `memory`: it may pass soon. */
export type RowFault = 'value' | 'storage' | 'memory';

/** Null for an error that no row causes: the network, a lock, a missing right, a bug. */
export function rowFaultOf(error: unknown): RowFault | null {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') return wasCut.test(String(message)) ? 'memory' : null;
  // Program limit exceeded: more than 1 GB as text. Data exception: encoding, invalid jsonb. Internal error: a missing piece
  // of a large value, or one that cannot be decompressed.
  if (/^(22|54)\w{3}$/.test(code)) return 'value';
  if (/^(XX|58)\w{3}$/.test(code)) return 'storage';
  // Out of memory, or a backend that was killed because of its memory.
  return code === '53200' || code === 'ECONNRESET' || code === 'EPIPE' ? 'memory' : null;
}

const wasCut = /terminated unexpectedly/;

/** Whether the error occurs every time and because of one value. */
export function isTiedToValue(error: unknown): boolean {
  return rowFaultOf(error) === 'value';
}

/**
 * Whether an entry other than `id` can be read in full: one of the latest entries in the table, of any organization. Its text is not sent.
 * Null: there is no other.
 */
export async function canReadAnother(db: Database, id: bigint): Promise<boolean | null> {
  let answer: boolean | null = null;
  const others = await db.query<{ id: string }>(
    'select e.id::text from audit.entries e where e.id <> $1 order by e.id desc limit $2',
    [id.toString(), triedEntries],
  );
  for (const other of others.rows) {
    try {
      await copyOut(
        db,
        `select length(metadata::text), length(concat(event_type, actor_id, actor_name, session_type, project)), uid, occurred_at
         from audit.entries where id = ${BigInt(other.id)}`,
        () => {},
      );
      return true;
    } catch (error) {
      if (rowFaultOf(error) === null) throw error;
      answer = false;
    }
  }
  return answer;
}

const triedEntries = 8;

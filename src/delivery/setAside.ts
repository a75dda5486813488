/**
 * Decides what becomes of an entry that cannot be read. None is set aside for what may be the database's fault rather than the
 * entry's.
 */
import { errorCode } from '../basics/errorCode.ts';
import type { Database } from '../database/pool.ts';
import { readEntryById } from '../database/readEntryById.ts';
import { type EntryHead, readNextHead } from '../database/readWindow.ts';
import { canReadAnother, type RowFault, rowFaultOf } from '../database/unreadable.ts';
import { adviceFor } from '../model/reasons.ts';
import type { Position, StreamRow, Window } from '../model/stream.ts';
import { describeSqlState } from '../telemetry/sqlState.ts';
import type { SetAside } from './batch.ts';
import { type Cause, maxRowBytes, type ReadPace } from './readPace.ts';

/** `again`: it may be read after all; `skip`: the filter leaves it out; `stale`: the lease is lost. */
export type Judgement =
  | { readonly kind: 'again' | 'stale' }
  | { readonly kind: 'skip'; readonly head: EntryHead }
  | { readonly kind: 'park'; readonly head: EntryHead; readonly why: SetAside };

/** So often a row that a page cannot read and a look-up by id can is tried again. */
const mostContradictions = 3;
/** A row that fails for the memory it takes must fail so often, and for so long, while others can be read. */
const memoryStrikes = 3;
const memoryPatienceMs = 15_000;

/**
 * Judges the entry that comes next after `after`, which could not even be read alone.
 *
 * @throws the error of the read when it may be the database's: the caller waits and tries again.
 */
export async function judgeNext(
  db: Database,
  stream: StreamRow & { window: Window },
  after: Position | null,
  cause: Cause,
  pace: ReadPace,
): Promise<Judgement> {
  const head = await readNextHead(db, stream, after);
  if (head === 'stale') return { kind: 'stale' };
  if (head === null) return { kind: 'again' };
  if (head.matches === false) return { kind: 'skip', head };
  if (cause.kind === 'oversize') return { kind: 'park', head, why: describeTooLarge(head.id, cause.bytes) };

  const key = `${head.xid}:${head.id}`;
  const read = await readEntryById(db, stream, head.id, { rowBytes: maxRowBytes }, () => {});
  switch (read.kind) {
    case 'stale':
      return { kind: 'stale' };
    case 'oversize':
      return { kind: 'again' };
    case 'read':
    case 'missing':
      // It is there by another way: what failed is the way, such as an index.
      if (pace.strike(key).count >= mostContradictions) throw cause.error;
      return { kind: 'again' };
    case 'unreadable': {
      const fault = rowFaultOf(read.error);
      if (!isLastingFault(fault, pace.strike(key))) throw read.error;
      if (!(await isItsOwnFault(db, head.id, fault))) throw read.error;
      return { kind: 'park', head, why: describeUnreadable(head.id, read.error) };
    }
  }
}

/** It failed often and long enough for its kind; a row whose fault is not memory has been read twice by now. */
export function isLastingFault(
  fault: RowFault | null,
  { count, forMs }: { count: number; forMs: number },
): boolean {
  if (fault !== 'memory') return fault !== null;
  return count >= memoryStrikes && forMs >= memoryPatienceMs;
}

/** A row's contents make the same error each time; for any other error there must be another row that can be read. */
async function isItsOwnFault(db: Database, id: bigint, fault: RowFault | null): Promise<boolean> {
  if (fault === 'value') return true;
  const another = await canReadAnother(db, id);
  return fault === 'storage' ? another !== false : another === true;
}

/** Why a row that has `bytes` as text is set aside. Its message is kept with the entry, so it says what to do too. */
export function describeTooLarge(id: bigint, bytes: number): SetAside {
  const size = bytes.toLocaleString('en-US');
  return {
    reason: 'EntryTooLarge',
    message: `Entry ${id} has ${size} bytes as text, and at most ${maxRowBytes.toLocaleString('en-US')} are read: it stays in the table and is not sent. ${adviceFor('EntryTooLarge')}`,
  };
}

/** Leaves out the database's own words, which may quote what is in the row. */
export function describeUnreadable(id: bigint, error: unknown): SetAside {
  const code = errorCode(error);
  const what = code === '' ? 'the connection is cut each time' : describeSqlState(code);
  return {
    reason: 'EntryUnreadable',
    message: `Postgres cannot read entry ${id} (${what}), while it reads others: it is not sent. ${adviceFor('EntryUnreadable')}`,
  };
}

/**
 * Decides what becomes of an entry that cannot be read: nothing is set aside for what may be the database's fault and not the
 * entry's.
 */
import type { Database } from '../database/pool.ts';
import { readEntryById } from '../database/readEntryById.ts';
import { type EntryHead, readNextHead } from '../database/readWindow.ts';
import { canReadAnother, type RowFault, rowFaultOf } from '../database/unreadable.ts';
import type { Position, StreamRow, Window } from '../model/stream.ts';
import { describeSqlState } from '../telemetry/sqlState.ts';
import type { SetAside } from './batch.ts';
import { type Cause, maxRowBytes, type ReadPace } from './readPace.ts';

export type Judgement =
  /** It can be read after all. */
  | { readonly kind: 'again' }
  /** The filter leaves it out. */
  | { readonly kind: 'skip'; readonly head: EntryHead }
  | { readonly kind: 'park'; readonly head: EntryHead; readonly why: SetAside }
  | { readonly kind: 'stale' };

/** So often a row is tried again that a page cannot read and a look-up by id can. */
const mostContradictions = 3;
/** One that fails for the memory it takes must go on failing for so long, while others can be read. */
const memoryStrikes = 3;
const memoryPatienceMs = 15_000;

/**
 * Judges the entry that comes next after `after`, whose reading failed by itself.
 *
 * @throws the error of the read, when it may be the database's: the caller waits and tries again.
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
      // By another way it is there: the way is what failed, such as an index.
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

/** It failed often and long enough for its kind. */
export function isLastingFault(
  fault: RowFault | null,
  { count, forMs }: { count: number; forMs: number },
): boolean {
  switch (fault) {
    case null:
      return false;
    // Read twice by now.
    case 'value':
    case 'storage':
      return true;
    case 'memory':
      return count >= memoryStrikes && forMs >= memoryPatienceMs;
  }
}

/** What is in a row makes the same error again and again; anything else wants another row that can be read. */
async function isItsOwnFault(db: Database, id: bigint, fault: RowFault | null): Promise<boolean> {
  if (fault === 'value') return true;
  const another = await canReadAnother(db, id);
  return fault === 'storage' ? another !== false : another === true;
}

/** What a row that has `bytes` as text is set aside with. */
export function describeTooLarge(id: bigint, bytes: number): SetAside {
  const size = bytes.toLocaleString('en-US');
  return {
    reason: 'EntryTooLarge',
    message: `Entry ${id} has ${size} bytes as text, and at most ${maxRowBytes.toLocaleString('en-US')} are read: it stays in the table and is not sent.`,
  };
}

/** Without the database's own words, which may quote what is in the row. */
export function describeUnreadable(id: bigint, error: unknown): SetAside {
  const { code } = error as { code?: unknown };
  const what = typeof code === 'string' ? describeSqlState(code) : 'the connection is cut each time';
  return {
    reason: 'EntryUnreadable',
    message: `Postgres cannot read entry ${id} (${what}), while it reads others: it is not sent.`,
  };
}

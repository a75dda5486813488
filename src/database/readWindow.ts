/**
 * Reads a window page by page in (xid, id) order.
 *
 *   row → window → PAGE → batch → bytes → answer → outcome → settle → status
 */
import type { Entry } from '../model/entry.ts';
import type { Position } from '../model/stream.ts';
import type { BinaryRow } from './binaryRow.ts';
import type { CopyLimits } from './copyOut.ts';
import { type PagePart, pageQuery, type WindowOwner } from './pageQuery.ts';
import { pagesQuery } from './pagesQuery.ts';
import type { Database } from './pool.ts';
import { copyAllProven, copyProven, matchesOf, type ProvenEnd, toEntry } from './provenCopy.ts';
import { isTiedToValue } from './unreadable.ts';

export interface PageLimits extends CopyLimits {
  readonly rows: number;
}

export type PageEnd =
  /** There may be more. */
  | { readonly kind: 'more' }
  /** No entry of the window comes after those taken. */
  | { readonly kind: 'exhausted' }
  /** `stale`: the stream's row is not at this window any more. */
  | Extract<ProvenEnd, { kind: 'oversize' | 'broken' | 'stale' }>;

export interface PageResult {
  /** Entries handed on and taken, those that the filter leaves out included. */
  readonly taken: number;
  readonly end: PageEnd;
}

/** Called synchronously; must not keep the entry's bytes. With "stop" it leaves the entry, and all that follow, for the next page. */
export type OnEntry = (entry: Entry, matches: boolean, bytes: number) => 'taken' | 'stop';

/**
 * Hands on at most `limits.rows` entries of the window after `after`. `matches` false: the filter leaves
 * the entry out, which then comes without metadata; the position moves over it, nothing is sent.
 *
 * Rows are bounded before the filter is applied, so that a filter that matches one in a million still reads in
 * bounded statements.
 *
 * @throws NotPrimaryError when the page was read elsewhere than on the primary; the database's error when nothing at all came back.
 */
export async function readPage(
  db: Database,
  stream: WindowOwner,
  after: Position | null,
  limits: PageLimits,
  onEntry: OnEntry,
): Promise<PageResult> {
  const reading = new Reading(onEntry);
  const end = await copyProven(db, pageQuery(stream, after, limits.rows), (row) => reading.take(row), limits);
  return reading.conclude(end, limits.rows);
}

/** What one of several asks of `readFirstPages`. */
export interface PageCall {
  readonly stream: WindowOwner;
  readonly onEntry: OnEntry;
}

/**
 * The first pages of the windows of several streams, or of several ledgers, by one COPY. For each its result; null: nothing of it was handed on, and it must be read alone
 * to say why.
 *
 * @throws as `readPage`.
 */
export async function readFirstPages(
  db: Database,
  calls: readonly PageCall[],
  limits: PageLimits,
): Promise<ReadonlyArray<PageResult | null>> {
  const { rows } = limits;
  const readings = calls.map(({ onEntry }) => new Reading(onEntry));
  const select = pagesQuery(
    calls.map(({ stream }) => stream),
    rows,
  );
  const ends = await copyAllProven(db, select, calls.length, (row, of) => readings[of]?.take(row), limits);
  return calls.map((_, n) => {
    const [reading, end] = [readings[n], ends[n]];
    if (!reading || !end) return null;
    const isItsOwn = reading.taken > 0 || (end.kind !== 'broken' && end.kind !== 'oversize');
    return isItsOwn ? reading.conclude(end, rows) : null;
  });
}

/** One page while its rows arrive. */
class Reading {
  readonly #onEntry: OnEntry;
  taken = 0;

  constructor(onEntry: OnEntry) {
    this.#onEntry = onEntry;
  }

  take(row: BinaryRow): 'stop' | undefined {
    if (this.#onEntry(toEntry(row), matchesOf(row) === true, row.byteLength) === 'stop') return 'stop';
    this.taken++;
    return undefined;
  }

  conclude(end: ProvenEnd, rows: number): PageResult {
    const { taken } = this;
    switch (end.kind) {
      case 'done':
        return { taken, end: { kind: taken < rows ? 'exhausted' : 'more' } };
      case 'stopped':
        return { taken, end: { kind: 'more' } };
      case 'oversize':
      case 'broken':
      case 'stale':
        return { taken, end };
    }
  }
}

/** An entry of a window without its texts, which can be read when those cannot. */
export interface EntryHead extends Position {
  /** null: the filter could not be asked, so the entry counts as one that matches. */
  readonly matches: boolean | null;
}

/**
 * The head of the entry that comes next after `after`; null: none does; 'stale': the stream's row is not at this window any more.
 *
 * @throws NotPrimaryError, or the database's error when not even the head can be read.
 */
export async function readNextHead(
  db: Database,
  stream: WindowOwner,
  after: Position | null,
): Promise<EntryHead | null | 'stale'> {
  const read = async (part: PagePart): Promise<EntryHead | null | 'stale'> => {
    let head: EntryHead | null = null;
    const end = await copyProven(db, pageQuery(stream, after, 1, part), (row) => {
      const xid = row.required(0).readBigUInt64BE();
      head = { xid, id: row.required(1).readBigInt64BE(), matches: matchesOf(row) };
      return undefined;
    });
    if (end.kind === 'broken') throw end.error;
    return end.kind === 'stale' ? 'stale' : head;
  };
  try {
    return await read('heads');
  } catch (error) {
    if (!isTiedToValue(error)) throw error;
    return read('bare heads');
  }
}

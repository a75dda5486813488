/**
 * Finds entries, newest first, and says honestly how far it came.
 *
 *   slice of the newest entries → entries in no block yet → blocks that may hold a match → certain matches
 *
 * Promises:
 *  - Nothing is missed: what is newer than `searchedBackTo` has been searched, whatever the indexer has done so far.
 *  - It ends within the budget, give or take a statement: with a full page, the end of the entries, or `searchedBackTo`
 *    and a place to go on from, which is always further than where it began.
 */
import { boundedRead, isTimeout, type Reader } from '../database/boundedRead.ts';
import type { Cursor } from '../database/cursor.ts';
import { type EntryQuery, hasNul, isIndexed } from '../database/entryQuery.ts';
import type { Database } from '../database/pool.ts';
import {
  cutRange,
  type Direction,
  filterRange,
  type Hit,
  measureSlice,
  type Prepared,
  prepareQuery,
  readIndexed,
} from '../database/searchEntries.ts';
import { listSpellings } from './spellings.ts';

export interface FindOptions {
  /** Entries at most. */
  readonly limit: number;
  /** What the search may take; default 900. */
  readonly budgetMs?: number;
  /** `newer`: the oldest entries past the cursor, ascending. Default `older`. */
  readonly direction?: Direction;
  /** The one who asked has gone: rejects with its reason between two statements. */
  readonly signal?: AbortSignal;
}

export interface Found {
  /** In the direction's order: newest first, or for `newer` oldest first. */
  readonly entries: Hit[];
  /** Matches may follow: go on from `next`. */
  readonly more: boolean;
  /** RFC 3339: the budget was spent when everything down (for `newer`: up) to here had been searched. Null: this page is complete. */
  readonly searchedBackTo: string | null;
  /** Null exactly when there is no more. */
  readonly next: Cursor | null;
}

const nothing: Found = { entries: [], more: false, searchedBackTo: null, next: null };

/** Entries of `query` past `cursor` (null: from the beginning). @throws the database's error, but for its own timeouts. */
export async function findEntries(
  db: Database,
  query: EntryQuery,
  cursor: Cursor | null,
  { limit, budgetMs = 900, direction = 'older', signal }: FindOptions,
): Promise<Found> {
  if (hasNul(query)) return nothing;
  signal?.throwIfAborted();
  // A slice that takes too long is tried again smaller, at last one entry by itself: it always gets on.
  for (const [maxRows, timeoutMs] of [
    [firstRows, budgetMs],
    [50, budgetMs],
    [1, 30_000],
  ] as const) {
    const search = {
      endsAt: performance.now() + budgetMs,
      limit,
      direction,
      maxRows,
      ...(signal ? { signal } : {}),
    };
    const found = await boundedRead(db, timeoutMs, async (reader) => {
      const prepared = await prepareQuery(reader, query, listSpellings(query.text));
      const rest = cursor ? { ...prepared, range: cutRange(prepared.range, cursor, direction) } : prepared;
      return isIndexed(query) ? readPage(reader, rest, search) : searchSlices(reader, rest, search);
    });
    if (found) return found;
  }
  throw new Error('one entry takes more than half a minute to search');
}

interface Search {
  /** By performance.now(). */
  readonly endsAt: number;
  readonly limit: number;
  readonly direction: Direction;
  readonly maxRows: number;
  readonly signal?: AbortSignal;
}

async function readPage(reader: Reader, prepared: Prepared, { direction, limit }: Search): Promise<Found> {
  return toPage(await readIndexed(reader, prepared, direction, limit + 1), limit);
}

/** One more than a page says that there is more. */
function toPage(hits: readonly Hit[], limit: number): Found {
  const entries = hits.slice(0, limit);
  const more = hits.length > limit;
  const last = entries.at(-1);
  return {
    entries,
    more,
    searchedBackTo: null,
    next: more && last ? { occurredAt: last.occurredAt, id: last.id } : null,
  };
}

/** Rows of the first slice and of all further ones. */
const firstRows = 500;
const sliceRows = 5_000;

/** Null: not even the first slice was done in time. */
async function searchSlices(reader: Reader, prepared: Prepared, search: Search): Promise<Found | null> {
  const { direction, limit, signal, endsAt } = search;
  const hits: Hit[] = [];
  let { range } = prepared;
  let place: Cursor | null = null;
  let maxRows = search.maxRows;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const here = { ...prepared, range };
      const slice = await measureSlice(reader, here, direction, maxRows);
      if (!slice) return toPage(hits, limit);
      const rest = cutRange(range, slice.end, direction);
      const searched =
        direction === 'older' ? { low: slice.end, high: range.high } : { low: range.low, high: rest.low };
      hits.push(
        ...(await filterRange(reader, { ...prepared, range: searched }, direction, limit + 1 - hits.length)),
      );
      if (hits.length > limit) return toPage(hits, limit);
      place = slice.end;
      range = rest;
      const leftMs = endsAt - performance.now();
      if (leftMs <= 0) break;
      await reader.setTimeout(leftMs);
      maxRows = sliceRows;
    }
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
  return place && { entries: hits, more: true, searchedBackTo: place.occurredAt, next: place };
}

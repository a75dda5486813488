/**
 * Finds entries, newest first, and says honestly how far it got.
 *
 *   slice of the newest entries → entries not in a block yet → blocks that may hold a match → certain matches
 *
 * Promises:
 *  - Nothing is missed: what is newer than `searchedBackTo` has been searched, whatever the indexer has done so far.
 *  - It ends within the budget, give or take a statement: with a full page, the end of the entries, or `searchedBackTo` and a
 *    place to continue from, which is always further than where it started.
 */

import { countUnindexed, filterBlocks, filterUnindexed, readIndexedUpTo } from '../database/blocks.ts';
import { isTimeout, type Reader } from '../database/boundedRead.ts';
import type { Cursor } from '../database/cursor.ts';
import { type EntryQuery, hasNul, isIndexed } from '../database/entryQuery.ts';
import type { Mark } from '../database/newEntries.ts';
import type { Database } from '../database/pool.ts';
import {
  beginningUpTo,
  type Direction,
  filterRange,
  measureSlice,
  type Prepared,
  prepareQuery,
  readFew,
  readIndexed,
  restPast,
} from '../database/searchEntries.ts';
import { sharedRead } from '../database/shares.ts';
import { type Found, Matches, toPage } from './matches.ts';
import {
  defaultSizes,
  goOn,
  type SearchLimits,
  type SearchSizes,
  type Sink,
  searchBlocks,
} from './searchBlocks.ts';

export interface FindOptions {
  /** The most entries to return. */
  readonly limit: number;
  /** How long the search may take, give or take a statement; default 800. */
  readonly budgetMs?: number;
  /** `newer`: the oldest entries past the cursor, ascending. Default `older`. */
  readonly direction?: Direction;
  /** Aborted when the client disconnects: the search rejects with its reason between two statements. */
  readonly signal?: AbortSignal;
  /** For tests; default `defaultSizes`. */
  readonly sizes?: SearchSizes;
  /** For tests; default performance.now(). */
  readonly now?: () => number;
}

/** What was found, and when it was read. */
export interface FoundAt extends Found {
  /** null: nothing was read. */
  readonly mark: Mark | null;
  /** Time ran out while many entries are not in a block yet: the search index is held back, or still far behind. */
  readonly isIndexBehind: boolean;
}

const nothing = { entries: [], more: false, searchedBackTo: null, next: null };

/** A slice gets at least this much, however small the budget. */
const leastMs = 20;
/** Far longer than a read by an index ever takes. */
const indexedTimeoutMs = 10_000;

/**
 * Returns entries of `query` past `cursor` (null: from the beginning).
 *
 * @throws the database's error, except its own timeouts: 22P02 when `has` holds something that is not JSON.
 */
export async function findEntries(
  db: Database,
  query: EntryQuery,
  cursor: Cursor | null,
  {
    limit,
    budgetMs = 800,
    direction = 'older',
    signal,
    sizes = defaultSizes,
    now = () => performance.now(),
  }: FindOptions,
): Promise<FoundAt> {
  if (hasNul(query)) return { ...nothing, mark: null, isIndexBehind: false };
  // A slice that takes too long is tried again smaller, finally with a single entry, so the search always advances.
  for (const [rows, timeoutMs] of [
    [sizes.firstRows, Math.max(leastMs, budgetMs)],
    [50, Math.max(leastMs, budgetMs)],
    [1, 30_000],
  ] as const) {
    signal?.throwIfAborted();
    const endsAt = now() + budgetMs;
    const limits = { limit, endsAt, now, signal, sizes: { ...sizes, firstRows: rows } };
    const found = await sharedRead(
      db,
      query.organization,
      indexedTimeoutMs,
      async (reader) => {
        const prepared = await prepareQuery(reader, query, direction);
        const rest = cursor ? restPast(prepared, cursor) : prepared;
        const { mark } = prepared;
        if (isIndexed(query)) {
          const page = toPage(await readIndexed(reader, rest, limit + 1), limit);
          return { ...page, mark, isIndexBehind: false };
        }
        await reader.setTimeout(timeoutMs);
        const few = rows === sizes.firstRows ? await tryFew(reader, rest, sizes.mostFew, limit) : null;
        if (few === 'too-slow') return null;
        if (few) return { ...toPage(few, limit), mark, isIndexBehind: false };
        const page = await search(reader, rest, limits);
        return page && { isIndexBehind: false, ...page, mark };
      },
      signal,
    );
    if (found) return found;
  }
  throw new Error('one entry takes more than half a minute to search');
}

function sinkOf(reader: Reader, prepared: Prepared, matches: Matches): Sink {
  const most = matches.limit + 1;
  return {
    readUnindexed: async (upTo) => matches.add(await filterUnindexed(reader, prepared, upTo, most)),
    readBlocks: async (blocks) => matches.add(await filterBlocks(reader, prepared, blocks, most)),
    moveBefore: (edge) => matches.moveBefore(edge),
    isFull: () => matches.isFull(),
  };
}

/** Null: the query may match more than a few. */
async function tryFew(reader: Reader, prepared: Prepared, most: number, limit: number) {
  try {
    return await readFew(reader, prepared, most, limit + 1);
  } catch (error) {
    if (!isTimeout(error)) throw error;
    return 'too-slow';
  }
}

/** Null: not even the first slice finished in time. */
async function search(
  reader: Reader,
  prepared: Prepared,
  limits: SearchLimits,
): Promise<(Found & { isIndexBehind?: boolean }) | null> {
  const { organization } = prepared.query;
  const { firstRows, sliceRows, mostUnindexed } = limits.sizes;
  const matches = new Matches(limits.limit, prepared.direction);
  let isIndexBehind = false;
  try {
    let rest = await searchSlice(reader, prepared, firstRows, matches, limits.limit);
    if (rest && !matches.isFull() && (await goOn(reader, limits)))
      rest = await searchSlice(reader, rest, sliceRows, matches, limits.limit);
    if (!rest || matches.isFull()) return matches.page();
    if (!(await goOn(reader, limits))) return matches.pageSoFar();

    const upTo = await readIndexedUpTo(reader, organization);
    const unindexed = await countUnindexed(reader, organization, upTo, mostUnindexed + 1);
    if (unindexed <= mostUnindexed) {
      const isComplete = await searchBlocks(reader, rest, upTo, sinkOf(reader, rest, matches), limits);
      return isComplete ? matches.page() : matches.pageSoFar();
    }
    isIndexBehind = true;
    // The indexer is far behind. Search in time order, which can stop honestly anywhere.
    while (await goOn(reader, limits)) {
      rest = await searchSlice(reader, rest, sliceRows, matches, limits.limit);
      if (!rest || matches.isFull()) return matches.page();
    }
  } catch (error) {
    if (!isTimeout(error)) throw error;
  }
  const page = matches.pageSoFar();
  return page && { ...page, isIndexBehind: isIndexBehind && page.searchedBackTo !== null };
}

/** Searches the next entries in time order. Returns what is left of the range, or null at its end. */
async function searchSlice(
  reader: Reader,
  prepared: Prepared,
  rows: number,
  matches: Matches,
  limit: number,
): Promise<Prepared | null> {
  const slice = await measureSlice(reader, prepared, rows);
  if (!slice) return null;
  matches.add(await filterRange(reader, beginningUpTo(prepared, slice.end), limit + 1));
  matches.moveTo(slice.end);
  return restPast(prepared, slice.end);
}

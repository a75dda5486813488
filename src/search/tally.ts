/**
 * Counts the matches of a query by a value, for as long as its time lasts, and says which part was counted.
 *
 *   few entries can match → those   ·   blocks rule out most → the blocks   ·   else slices of time, in the order that was asked for
 */
import {
  blocksSource,
  countUnindexed,
  type IndexedUpTo,
  readIndexedUpTo,
  scanBlocks,
  unindexedSource,
} from '../database/blocks.ts';
import { isTooMuch, type Reader } from '../database/boundedRead.ts';
import { isIndexed } from '../database/entryQuery.ts';
import { fewSource, listFew, type Prepared } from '../database/searchEntries.ts';
import { type Count, type CountBy, countSlices, countSource, type Slice } from '../database/tally.ts';
import { defaultSizes, probesOf, type SearchLimits, type SearchSizes, searchBlocks } from './searchBlocks.ts';

/** Which part of the range was counted; what matched outside it may have been counted, too. */
export type Coverage =
  | { readonly kind: 'all' }
  /** Everything later than this moment, RFC 3339; null: nothing for certain. */
  | { readonly kind: 'newest'; readonly backTo: string | null }
  /** These slices. */
  | { readonly kind: 'slices'; readonly counted: ReadonlySet<number> };

export interface TallyOptions {
  readonly by: CountBy;
  /** What a slice is counted by, where that differs. */
  readonly bySlice?: CountBy;
  /** All of the range, in the order in which they are counted. */
  readonly slices: readonly Slice[];
  readonly onCount: (count: Count) => void;
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly sizes?: SearchSizes;
}

/** @throws the signal's reason, or the database's error, except when the time or the memory is used up. */
export async function tallyEntries(
  reader: Reader,
  prepared: Prepared,
  { by, bySlice = by, slices, onCount, budgetMs, signal, sizes = defaultSizes }: TallyOptions,
): Promise<Coverage> {
  const now = () => performance.now();
  const limits: SearchLimits = { limit: 0, endsAt: now() + budgetMs, now, signal, sizes };
  const counted = new Set<number>();
  const add = (counts: readonly Count[]): void => counts.forEach(onCount);
  let coverage: Coverage = { kind: 'slices', counted };
  try {
    await reader.setTimeout(budgetMs);
    const few = await listFew(reader, prepared, sizes.mostFew);
    if (few) {
      add(await countSource(reader, prepared, by, (parameters) => fewSource(prepared, few, parameters)));
      return { kind: 'all' };
    }
    const upTo = await findBlocks(reader, prepared, sizes.mostUnindexed);
    if (upTo) {
      const sink = makeSink(reader, prepared, by, add);
      coverage = sink;
      return (await searchBlocks(reader, prepared, upTo, sink, limits)) ? { kind: 'all' } : sink;
    }
    await reader.setTimeout(limits.endsAt - now());
    await countSlices(reader, prepared, bySlice, slices, { onCount, onSlice: (slice) => counted.add(slice) });
    return { kind: 'all' };
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return coverage;
  }
}

/** The newest blocks, and how many of them may hold a match where reading by blocks costs as much as reading all. */
const sampledBlocks = 200;
const frequentBlocks = 50;

/** How far entries are in blocks; null: blocks rule out too little, or too many entries are in none. */
async function findBlocks(
  reader: Reader,
  prepared: Prepared,
  mostUnindexed: number,
): Promise<readonly IndexedUpTo[] | null> {
  const { query, needles } = prepared;
  if (needles.length === 0 || isIndexed(query)) return null;
  if (query.text === '') {
    // An entry costs four times as much in a block as in a slice. Beside reading texts that is little.
    const { candidates } = await scanBlocks(reader, prepared, probesOf(prepared), null, sampledBlocks);
    if (candidates.length > frequentBlocks) return null;
  }
  const upTo = await readIndexedUpTo(reader, query.organization);
  const unindexed = await countUnindexed(reader, query.organization, upTo, mostUnindexed + 1);
  return unindexed <= mostUnindexed ? upTo : null;
}

function makeSink(reader: Reader, prepared: Prepared, by: CountBy, add: (counts: readonly Count[]) => void) {
  return {
    kind: 'newest' as const,
    backTo: null as string | null,
    async readUnindexed(upTo: readonly IndexedUpTo[]): Promise<void> {
      add(
        await countSource(reader, prepared, by, (parameters) => unindexedSource(prepared, upTo, parameters)),
      );
    },
    async readBlocks(blocks: Parameters<typeof blocksSource>[1]): Promise<void> {
      add(
        await countSource(reader, prepared, by, (parameters) => blocksSource(prepared, blocks, parameters)),
      );
    },
    moveBefore(edge: string): void {
      this.backTo = edge;
    },
    isFull: () => false,
  };
}

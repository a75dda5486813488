/**
 * Does the second half of a search: entries not in a block yet, then the blocks that may hold a match, newest first, until the rest
 * cannot hold anything newer than a full page.
 */

import {
  type BlockPlace,
  type Candidate,
  type IndexedUpTo,
  scanBlocks,
  type TermHashes,
} from '../database/blocks.ts';
import type { Reader } from '../database/boundedRead.ts';
import type { Prepared } from '../database/searchEntries.ts';
import { termHashes } from './grams.ts';

export interface SearchLimits {
  readonly limit: number;
  /** As `now` tells it, in milliseconds. */
  readonly endsAt: number;
  readonly now: () => number;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal | undefined;
  readonly sizes: SearchSizes;
}

/** Sizes of single statements, chosen so that each takes 30 to 150 ms. */
export interface SearchSizes {
  /** Entries in the first slice, and in each further one. */
  readonly firstRows: number;
  readonly sliceRows: number;
  /** The most entries that are read one by one where a filter knows which may match. */
  readonly mostFew: number;
  /** The most entries outside blocks that are searched one by one. */
  readonly mostUnindexed: number;
  /** Blocks to probe, at about ten microseconds each. */
  readonly probedBlocks: number;
  /** Blocks to list when there is nothing to probe them for, so that each is a candidate. */
  readonly listedBlocks: number;
  /** How long reading a batch of candidates should take, judging by the last batch. */
  readonly batchMs: number;
}

export const defaultSizes: SearchSizes = {
  firstRows: 500,
  sliceRows: 5_000,
  mostFew: 5_000,
  mostUnindexed: 20_000,
  probedBlocks: 3_000,
  listedBlocks: 200,
  batchMs: 120,
};
const batchBytes = 8 * 1024 * 1024;

/** Limits the next statements to what is left of the budget. False: it is spent. @throws the signal's reason. */
export async function goOn(reader: Reader, { endsAt, now, signal }: SearchLimits): Promise<boolean> {
  signal?.throwIfAborted();
  const leftMs = endsAt - now();
  if (leftMs <= 0) return false;
  await reader.setTimeout(leftMs);
  return true;
}

/** What takes what a search reads. */
export interface Sink {
  readUnindexed(upTo: readonly IndexedUpTo[]): Promise<void>;
  readBlocks(blocks: readonly Candidate[]): Promise<void>;
  /** Everything before the moment `edge` has been read, but not necessarily that moment itself. */
  moveBefore(edge: string): void;
  /** True: nothing more is needed. */
  isFull(): boolean;
}

/**
 * Reads the rest of the range into `sink`. True: it is complete. False: the budget is spent.
 *
 * @throws a timeout of the database, with all that is certain in `sink`.
 */
export async function searchBlocks(
  reader: Reader,
  prepared: Prepared,
  upTo: readonly IndexedUpTo[],
  sink: Sink,
  limits: SearchLimits,
): Promise<boolean> {
  const { sizes } = limits;
  await sink.readUnindexed(upTo);
  const probes = probesOf(prepared);
  const most = probes.length > 0 ? sizes.probedBlocks : sizes.listedBlocks;
  let msPerEntry = 0.05;
  let from: BlockPlace | null = null;
  do {
    if (!(await goOn(reader, limits))) return false;
    const scan = await scanBlocks(reader, prepared, probes, from, most);
    let queue = scan.candidates;
    for (let next = queue[0]; next; next = queue[0]) {
      sink.moveBefore(next.edge);
      if (sink.isFull()) return true;
      if (!(await goOn(reader, limits))) return false;
      const batch = takeBatch(queue, sizes.batchMs / msPerEntry);
      const startedAt = performance.now();
      await sink.readBlocks(batch);
      const entries = batch.reduce((sum, block) => sum + block.entries, 0);
      msPerEntry = Math.max(0.001, (performance.now() - startedAt) / entries);
      queue = queue.slice(batch.length);
    }
    if (scan.end) sink.moveBefore(scan.end.edge);
    from = scan.end;
  } while (from);
  return true;
}

/** What `scanBlocks` probes blocks for; empty: nothing, so that each is a candidate. */
export function probesOf({ needles }: Prepared): TermHashes[][] {
  return needles
    .map((list) => list.map(termHashes))
    .filter((list) => list.every(({ all }) => all.length > 0));
}

/** Takes at least one block. */
function takeBatch(queue: readonly Candidate[], mostEntries: number): Candidate[] {
  let entries = 0;
  let bytes = 0;
  const batch = queue.findIndex((block) => {
    entries += block.entries;
    bytes += block.textBytes;
    return entries > mostEntries || bytes > batchBytes;
  });
  return queue.slice(0, batch === -1 ? queue.length : Math.max(1, batch));
}

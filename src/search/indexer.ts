/**
 * Puts entries into searchable blocks behind the product's back: its inserts cost what they did before.
 *
 * Any number of replicas may run it; each part of the work is done by one of them, and a double effort cannot write a block
 * twice. It takes at most about a quarter of a core, and what it has not come to yet is searched entry by entry.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { Database } from '../database/pool.ts';
import {
  claimPart,
  listIndexable,
  type Part,
  readFinal,
  releasePart,
  saveBlocks,
} from '../database/searchIndex.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BlockBuilder, entriesPerBlock, textBytesPerBlock } from './blockBuilder.ts';

export interface IndexerOptions {
  /** A pool that nothing urgent waits for; one connection at a time is used. */
  readonly db: Database;
  readonly log: Logger;
  /** Between two looks for new entries; default 30 s. */
  readonly intervalMs?: number;
}

export interface Indexer {
  /** Resolves when nothing of it runs any more; what it was about is done by the next one. */
  stop(): Promise<void>;
}

const defaultIntervalMs = 30_000;
/** Of the time. */
const defaultShare = 0.25;
/** Far longer than a read takes; what a crash leaves claimed waits for so long. */
const claimMs = 20_000;
const blocksPerRead = 4;
/** Then another organization has its turn. */
const readsPerTurn = 50;

export function startIndexer({ db, log, intervalMs = defaultIntervalMs }: IndexerOptions): Indexer {
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = async (): Promise<void> => {
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await indexAll(db, { signal });
        if (isFailing) log.info('the search index is being built again');
        isFailing = false;
      } catch (error) {
        if (signal.aborted) break;
        // Nothing is lost meanwhile: searches read what is not indexed.
        if (!isFailing)
          log.warn({ err: error }, 'the search index cannot be built at the moment; trying again');
        isFailing = true;
      }
      await pause(intervalMs, signal);
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

export interface IndexOptions {
  readonly signal?: AbortSignal;
  /** Of the time that it works; the rest it waits. */
  readonly share?: number;
  /** For tests: others than the default. */
  readonly blockEntries?: number;
}

/** Indexes all there is to index now; returns how many entries that was. @throws the database's error. */
export async function indexAll(
  db: Database,
  {
    signal = new AbortController().signal,
    share = defaultShare,
    blockEntries = entriesPerBlock,
  }: IndexOptions = {},
): Promise<number> {
  const builder = new BlockBuilder(blockEntries);
  let total = 0;
  for (;;) {
    const parts = await listIndexable(db, blockEntries, textBytesPerBlock);
    let done = 0;
    for (const part of parts) {
      if (signal.aborted) return total;
      done += await indexPart(db, part, builder, { signal, share, blockEntries });
    }
    total += done;
    if (done === 0 || signal.aborted) return total;
  }
}

async function indexPart(
  db: Database,
  part: Part,
  builder: BlockBuilder,
  { signal, share, blockEntries }: Required<IndexOptions>,
): Promise<number> {
  let position = await claimPart(db, part, claimMs);
  if (!position) return 0;
  let indexed = 0;
  for (let reads = 0; reads < readsPerTurn && !signal.aborted; reads++) {
    const startedAt = performance.now();
    const isCutShort = await readFinal(db, part, position, blocksPerRead * blockEntries, (entry) =>
      builder.add(entry),
    );
    // Cut short by its size: what was read is a block as it is, so that this gets on whatever the sizes are.
    const blocks = builder.take(part.isClosed || isCutShort);
    const last = blocks.at(-1)?.last;
    if (!last || !(await saveBlocks(db, part, position, blocks, claimMs))) break;
    position = last;
    indexed += blocks.reduce((sum, block) => sum + block.entries, 0);
    await pause((performance.now() - startedAt) * (1 / share - 1), signal);
  }
  await releasePart(db, part);
  return indexed;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await wait(ms, undefined, { signal }).catch(() => {});
}

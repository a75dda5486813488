/**
 * Puts entries into searchable blocks behind the product's back: its inserts cost what they did before.
 *
 * Any number of replicas may run it; each part of the work is done by one of them, and a double effort cannot write a block
 * twice. It takes at most about a quarter of a core, and what it has not come to yet is searched entry by entry.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isTooMuch } from '../database/boundedRead.ts';
import type { Database } from '../database/pool.ts';
import {
  claimPart,
  listIndexable,
  type Part,
  readFinal,
  readOldestOpen,
  releasePart,
  saveBlocks,
} from '../database/searchIndex.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BlockBuilder, entriesPerBlock, textBytesPerBlock } from './blockBuilder.ts';

export interface IndexerOptions {
  /** A pool that nothing urgent waits for; one connection at a time is used. */
  readonly db: Database;
  readonly log: Logger;
  /** Told after each look how long one open transaction has kept newer entries from being final, in milliseconds. */
  readonly onHeldBack?: (ms: number) => void;
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
const turnMs = 30_000;
/** A read takes a tenth of a second; one that takes so long is tried with fewer entries. */
const readTimeoutMs = 5_000;
/** For a part whose entries cannot be read: doubled with each failure. */
const firstRetryMs = 60_000;
const longestRetryMs = 60 * 60_000;

/** Parts that could not be indexed, and when each is tried again; the others have their turn meanwhile. */
export type FailedParts = Map<string, { failures: number; retryAt: number }>;

export function startIndexer({
  db,
  log,
  onHeldBack = () => {},
  intervalMs = defaultIntervalMs,
}: IndexerOptions): Indexer {
  const stopped = new AbortController();
  const { signal } = stopped;
  const failed: FailedParts = new Map();
  const onFailure = ({ organization }: Part, error: unknown): void =>
    log.warn(
      { err: error, organization },
      'the entries of an organization cannot be put into the search index; its searches read them one by one, and it is tried again later',
    );
  const watch = makeHeldBackWatch(log, onHeldBack);
  const run = async (): Promise<void> => {
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await indexAll(db, { signal, failed, onFailure });
        watch(await readOldestOpen(db));
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

const worthSayingMs = 10 * 60_000;

/** Knows since when the same transaction has been the oldest that is open, which no role needs a right to see. */
export function makeHeldBackWatch(
  log: Logger,
  onHeldBack: (ms: number) => void,
  now = () => performance.now(),
): (oldestOpen: string | null) => void {
  let oldest: string | null = null;
  let since = 0;
  let isSaid = false;
  return (oldestOpen) => {
    if (oldestOpen === null || oldestOpen !== oldest) {
      oldest = oldestOpen;
      since = now();
      if (isSaid) log.info('the search index goes on: the transaction that held it back has ended');
      isSaid = false;
    }
    const heldBackMs = oldest === null ? 0 : now() - since;
    onHeldBack(heldBackMs);
    if (heldBackMs < worthSayingMs || isSaid) return;
    isSaid = true;
    log.warn(
      { transaction: oldest, minutes: Math.round(heldBackMs / 60_000) },
      'an open transaction keeps newer entries out of the search index, and searches read those one by one: look in pg_stat_activity and pg_prepared_xacts for it, and end it',
    );
  };
}

export interface IndexOptions {
  readonly signal?: AbortSignal;
  /** Of the time that it works; the rest it waits. */
  readonly share?: number;
  /** For tests: others than the default. */
  readonly blockEntries?: number;
  /** Kept from one call to the next. */
  readonly failed?: FailedParts;
  readonly onFailure?: (part: Part, error: unknown) => void;
}

/**
 * Indexes all there is to index now; returns how many entries that was. Entries of one organization that cannot be read keep no other
 * one from its turn.
 *
 * @throws the database's error when it concerns all of them.
 */
export async function indexAll(
  db: Database,
  {
    signal = new AbortController().signal,
    share = defaultShare,
    blockEntries = entriesPerBlock,
    failed = new Map(),
    onFailure = () => {},
  }: IndexOptions = {},
): Promise<number> {
  const builder = new BlockBuilder(blockEntries);
  let total = 0;
  for (;;) {
    const parts = await listIndexable(db, blockEntries, textBytesPerBlock);
    let done = 0;
    for (const part of parts) {
      if (signal.aborted) return total;
      const key = JSON.stringify([part.organization, part.cluster]);
      const before = failed.get(key);
      if (before && before.retryAt > performance.now()) continue;
      try {
        done += await indexPart(db, part, builder, { signal, share, blockEntries });
        failed.delete(key);
      } catch (error) {
        if (signal.aborted || !isOfEntries(error)) throw error;
        builder.take(false);
        const failures = (before?.failures ?? 0) + 1;
        const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1));
        failed.set(key, { failures, retryAt: performance.now() + retryMs });
        if (failures === 1) onFailure(part, error);
        await releasePart(db, part);
      }
    }
    total += done;
    if (done === 0 || signal.aborted) return total;
  }
}

/** Too large, not to be read, broken on the disk: not a lost connection, nor a missing right. */
function isOfEntries(error: unknown): boolean {
  return isTooMuch(error) || /^(?:22|40|XX)\w{3}$/.test(String((error as { code?: unknown }).code));
}

async function indexPart(
  db: Database,
  part: Part,
  builder: BlockBuilder,
  { signal, share, blockEntries }: Required<Pick<IndexOptions, 'signal' | 'share' | 'blockEntries'>>,
): Promise<number> {
  const claimed = await claimPart(db, part, claimMs);
  if (!claimed) return 0;
  let position = claimed;
  const mostEntries = blocksPerRead * blockEntries;
  let maxEntries = mostEntries;
  let withText = true;
  let indexed = 0;
  const endsAt = performance.now() + turnMs;
  for (let reads = 0; reads < readsPerTurn && !signal.aborted && performance.now() < endsAt; reads++) {
    const startedAt = performance.now();
    try {
      const limits = { maxEntries, withText, timeoutMs: readTimeoutMs };
      const isCutShort = await readFinal(db, part, position, limits, (entry) => builder.add(entry));
      // Cut short, by its size or its time: what was read is a block as it is, so that this gets on whatever the sizes are.
      const blocks = builder.take(part.isClosed || isCutShort || maxEntries < mostEntries);
      const last = blocks.at(-1)?.last;
      if (!last || !(await saveBlocks(db, part, position, blocks, claimMs))) break;
      position = last;
      indexed += blocks.reduce((sum, block) => sum + block.entries, 0);
      maxEntries = Math.min(mostEntries, maxEntries * 2);
      withText = true;
    } catch (error) {
      if (!isTooMuch(error) || !withText) throw error;
      builder.take(false);
      // Fewer at once; at last one by itself, and that one without its text.
      withText = maxEntries > 1;
      maxEntries = Math.ceil(maxEntries / 8);
    }
    await pause((performance.now() - startedAt) * (1 / share - 1), signal);
  }
  await releasePart(db, part);
  return indexed;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await wait(ms, undefined, { signal }).catch(() => {});
}

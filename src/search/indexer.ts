/**
 * Builds search blocks in the background, so that the product's inserts cost no more than before.
 *
 * Any number of replicas may run it: one of them does each part of the work, and even doing a part twice cannot write a block
 * twice. It takes at most about a quarter of a core. Searches read entries that it has not reached yet one by one.
 */
import { errorCode } from '../basics/errorCode.ts';
import { pause, restAfter } from '../basics/wait.ts';
import { isTooMuch } from '../database/boundedRead.ts';
import type { Database } from '../database/pool.ts';
import {
  claimPart,
  listIndexable,
  type Part,
  readFinal,
  readHorizon,
  readOldestOpen,
  releasePart,
  saveBlocks,
} from '../database/searchIndex.ts';
import type { Logger } from '../telemetry/logger.ts';
import { BlockBuilder, entriesPerBlock, textBytesPerBlock } from './blockBuilder.ts';

export interface IndexerOptions {
  /** A pool that nothing urgent waits for; the indexer uses one connection at a time. */
  readonly db: Database;
  readonly log: Logger;
  /** Called after each round with how long one open transaction has kept newer entries from being final, in milliseconds. */
  readonly onHeldBack?: (ms: number) => void;
  /** Between two rounds; default 30 s. */
  readonly intervalMs?: number;
}

const defaultIntervalMs = 30_000;
/** The share of its time that the indexer works. */
const defaultShare = 0.25;
/** Far longer than a read takes. After a crash, claimed work waits this long. */
const claimMs = 20_000;
const blocksPerRead = 4;
/** After this it is another organization's turn. */
const readsPerTurn = 50;
const turnMs = 30_000;
/** A read takes a tenth of a second; one that takes this long is tried again with fewer entries. */
const readTimeoutMs = 5_000;
/** Waits for a part whose entries cannot be read; doubles with each failure. */
const firstRetryMs = 60_000;
const longestRetryMs = 60 * 60_000;

/** What a later round has to look at besides what is new by then. The caller keeps it from one round to the next. */
export class Agenda {
  /** Parts that got no entry from this horizon on have been looked at. null: look at every part. */
  since: string | null = null;
  lookedAtAllAt = Number.NEGATIVE_INFINITY;
  /** Parts that another collector was working on, or that could not be indexed. */
  readonly left = new Map<string, Part>();
  /** When to try a part again that could not be indexed. The other parts continue. */
  readonly failed = new Map<string, { failures: number; retryAt: number }>();
}

/** So often every part is looked at: entries that were imported, or came after a failover with older transaction ids. */
const fullRoundMs = 60 * 60_000;

export type Indexer = ReturnType<typeof startIndexer>;

export function startIndexer({
  db,
  log,
  onHeldBack = () => {},
  intervalMs = defaultIntervalMs,
}: IndexerOptions) {
  const stopped = new AbortController();
  const { signal } = stopped;
  const agenda = new Agenda();
  const onFailure = ({ organization }: Part, error: unknown): void =>
    log.warn(
      { err: error, organization },
      'the search index of an organization cannot be built; its searches read entries one by one until a later try succeeds',
    );
  const watch = makeHeldBackWatch(log, onHeldBack);
  const run = async (): Promise<void> => {
    let isFailing = false;
    while (!signal.aborted) {
      try {
        await indexAll(db, { signal, agenda, onFailure });
        watch(await readOldestOpen(db));
        if (isFailing) log.info('the search index is being built again');
        isFailing = false;
      } catch (error) {
        if (signal.aborted) break;
        // Nothing is missed meanwhile: searches read what is not indexed.
        if (!isFailing)
          log.warn({ err: error }, 'the search index cannot be built at the moment; trying again');
        isFailing = true;
      }
      await pause(intervalMs, signal);
    }
  };
  const running = run();
  return {
    /** Resolves when it has stopped; the next indexer finishes what it was doing. */
    stop: async (): Promise<void> => {
      stopped.abort();
      await running;
    },
  };
}

const worthSayingMs = 10 * 60_000;

/** Knows how long the same transaction has been the oldest open one, which any role can see. */
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
      if (isSaid) log.info('the search index continues: the transaction that held it back has ended');
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
  /** The share of its time that it works; it waits the rest. */
  readonly share?: number;
  /** For tests; default `entriesPerBlock`. */
  readonly blockEntries?: number;
  readonly agenda?: Agenda;
  readonly onFailure?: (part: Part, error: unknown) => void;
}

/**
 * Indexes everything there is to index now, and returns the number of entries. Unreadable entries of one organization do not stop the
 * others.
 *
 * @throws the database's error when it affects all organizations.
 */
export async function indexAll(
  db: Database,
  {
    signal = new AbortController().signal,
    share = defaultShare,
    blockEntries = entriesPerBlock,
    agenda = new Agenda(),
    onFailure = () => {},
  }: IndexOptions = {},
): Promise<number> {
  const builder = new BlockBuilder(blockEntries);
  let total = 0;
  if (performance.now() - agenda.lookedAtAllAt > fullRoundMs) agenda.since = null;
  const startedAt = performance.now();
  const horizon = await readHorizon(db);
  for (;;) {
    const parts = new Map(agenda.left);
    for (const part of await listIndexable(db, agenda.since, blockEntries, textBytesPerBlock)) {
      parts.set(JSON.stringify([part.organization, part.cluster]), part);
    }
    let done = 0;
    for (const [key, part] of parts) {
      if (signal.aborted) return total;
      const before = agenda.failed.get(key);
      if (before && before.retryAt > performance.now()) continue;
      try {
        const entries = await indexPart(db, part, builder, { signal, share, blockEntries });
        agenda.failed.delete(key);
        if (entries === null) agenda.left.set(key, part);
        else agenda.left.delete(key);
        done += entries ?? 0;
      } catch (error) {
        if (signal.aborted || !isOfEntries(error)) throw error;
        builder.take(false);
        const failures = (before?.failures ?? 0) + 1;
        const retryMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (failures - 1));
        agenda.left.set(key, part);
        agenda.failed.set(key, { failures, retryAt: performance.now() + retryMs });
        if (failures === 1) onFailure(part, error);
        await releasePart(db, part);
      }
    }
    total += done;
    if (done === 0 || signal.aborted) break;
  }
  if (signal.aborted) return total;
  if (agenda.since === null) agenda.lookedAtAllAt = startedAt;
  agenda.since = horizon;
  return total;
}

/** Too large, unreadable or damaged on disk; not a lost connection or a missing right. */
function isOfEntries(error: unknown): boolean {
  return isTooMuch(error) || /^(?:22|40|58|XX)\w{3}$/.test(errorCode(error));
}

/** The number of entries; null: another collector is working on it. */
async function indexPart(
  db: Database,
  part: Part,
  builder: BlockBuilder,
  { signal, share, blockEntries }: Required<Pick<IndexOptions, 'signal' | 'share' | 'blockEntries'>>,
): Promise<number | null> {
  const claimed = await claimPart(db, part, claimMs);
  if (!claimed) return null;
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
      // A read that its size or time cut short becomes a block as it is, so the indexer advances whatever the sizes are.
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
      // Try fewer at once, finally a single entry, and then that one without its text.
      withText = maxEntries > 1;
      maxEntries = Math.ceil(maxEntries / 8);
    }
    await restAfter(startedAt, share, signal);
  }
  await releasePart(db, part);
  return indexed;
}

/**
 * Lets go of entries whose time has come, in the background: one organization at a time, in small batches, a quarter of the time at
 * most. Any number of replicas may run it.
 *
 * Not here: what may go (migration 0013).
 */
import { errorCode } from '../basics/errorCode.ts';
import { pause, restAfter } from '../basics/wait.ts';
import type { Database } from '../database/pool.ts';
import {
  deleteExpired,
  findDue,
  findOrganizations,
  isAnyRetained,
  type RetentionState,
  readRetentionState,
} from '../database/retention.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface RetentionOptions {
  /** A pool that nothing urgent waits for; one connection at a time is used. */
  readonly db: Database;
  readonly log: Logger;
  /** False while the database does not know of every stream: what one of those will have to deliver would go. */
  readonly isReady: () => boolean;
  readonly onDeleted: (entries: number) => void;
  /** Called after each round. null: the database could not be asked. `isFailing`: entries of some organization cannot be deleted. */
  readonly onState: (state: RetentionState | null, isFailing: boolean) => void;
  /** Between two rounds as long as a period is set; default 5 s. */
  readonly intervalMs?: number;
  /** The share of its time that it works; default a quarter. */
  readonly share?: number;
}

const defaultIntervalMs = 5_000;
/** So many times as long as no period is set: nobody waits for it to the second, and most have none. */
const intervalsWithoutPeriod = 3;
const defaultShare = 0.25;
/** Entries in one transaction: a few milliseconds, which a product's insert next to it hardly notices. */
const batchEntries = 100;
/** Then it is another organization's turn. */
const batchesPerTurn = 200;
/** How long an organization that another session works on is left to that, and one whose entries cannot be deleted is left alone. */
const busyMs = 5_000;
const failedMs = 300_000;
/** So often it is looked for organizations that have come without an export. */
const searchIntervalMs = 600_000;

/** As long as no period is set, no entry is past it. */
const nothingKept: RetentionState = { undelivered: 0, parked: 0, held: 0, unsealed: 0, waitingSeconds: 0 };

export function startRetention(options: RetentionOptions) {
  const { db, log, onState, intervalMs = defaultIntervalMs } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = async (): Promise<void> => {
    const skipped = new Skipped();
    let isFailing = false;
    let searchedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      let restMs = intervalMs;
      try {
        const isReady = options.isReady();
        const isRetained = isReady && (await isAnyRetained(db));
        if (isReady && !isRetained) restMs *= intervalsWithoutPeriod;
        if (isRetained) {
          if (performance.now() - searchedAt > searchIntervalMs) {
            if (await findOrganizations(db)) searchedAt = performance.now();
          }
          await deleteDue(options, skipped, signal);
        }
        const state = isRetained ? await readRetentionState(db) : nothingKept;
        onState(state, skipped.isAnyFailing);
        if (isFailing) log.info('expired entries are being deleted again');
        isFailing = false;
      } catch (error) {
        onState(null, true);
        if (!isFailing && !signal.aborted)
          log.warn({ err: error }, 'expired entries cannot be deleted at the moment; trying again');
        isFailing = true;
      }
      await pause(restMs, signal);
    }
  };
  const running = run();
  return {
    /** Resolves once it has stopped: a batch that is under way ends first. */
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}

/** What keeps the worker from an organization, until then by `performance.now()`. */
class Skipped {
  readonly #until = new Map<string, { readonly at: number; readonly isFailing: boolean }>();

  add(organization: string, forMs: number, isFailing: boolean): void {
    this.#until.set(organization, { at: performance.now() + forMs, isFailing });
  }

  /** Those that are skipped now. */
  list(): string[] {
    for (const [organization, { at }] of this.#until)
      if (at <= performance.now()) this.#until.delete(organization);
    return [...this.#until.keys()];
  }

  get isAnyFailing(): boolean {
    return [...this.#until.values()].some(({ isFailing }) => isFailing);
  }
}

/** Works on all that is due now, but on none that is skipped. @throws the database's error, unless it is about one organization. */
async function deleteDue(
  { db, log, isReady, onDeleted, share = defaultShare }: RetentionOptions,
  skipped: Skipped,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && isReady()) {
    const organization = await findDue(db, skipped.list());
    if (organization === null) return;
    for (let batch = 0; batch < batchesPerTurn && !signal.aborted; batch++) {
      const startedAt = performance.now();
      try {
        const { busy, deleted, isWhole } = await deleteExpired(db, organization, batchEntries);
        onDeleted(deleted);
        if (busy) skipped.add(organization, busyMs, false);
        if (busy || isWhole) break;
      } catch (error) {
        if (!isOfOne(error)) throw error;
        skipped.add(organization, failedMs, true);
        log.warn(
          { err: error, organization },
          'expired entries of an organization cannot be deleted at the moment; trying again in some minutes',
        );
        break;
      } finally {
        await restAfter(startedAt, share, signal);
      }
    }
  }
}

/** What some row holds, or a limit of a statement; not a lost connection or a missing right. */
function isOfOne(error: unknown): boolean {
  return /^(?:22|23|40|53|54|55|57014|XX)/.test(errorCode(error));
}

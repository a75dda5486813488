/**
 * Seals every organization's entries in the background, so that the product's inserts cost no more than before: soon after they come,
 * and from the beginning of a table that was there before.
 *
 * Any number of replicas may run it: one of them does each part of the work, and even doing a part twice seals nothing twice. It takes at
 * most about a quarter of a core.
 */
import { pause } from '../basics/wait.ts';
import { listUnsealed, type UnsealedMark } from '../database/ledgers.ts';
import { releaseLedgers } from '../database/ledgerWindow.ts';
import type { Database } from '../database/pool.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Checkpoints } from './checkpoints.ts';
import { Fingerprinter } from './fingerprint.ts';
import { Isolation } from './isolation.ts';
import { SealProgress } from './progress.ts';
import { firstScrubRetryMs, scrubNext } from './scrub.ts';
import { type SealOptions, sealOrganization, type Turn } from './sealOrganization.ts';
import { mostTogether, sealTogether } from './sealTogether.ts';

export interface LedgerOptions {
  /** A pool that nothing urgent waits for; one connection at a time is used. */
  readonly db: Database;
  readonly log: Logger;
  /** The setting LEDGER_NAME. */
  readonly name: string;
  readonly onSealed?: (entries: number) => void;
  /** Signs what is sealed. Absent: nothing is. */
  readonly checkpoints?: Checkpoints;
  /** Called after each round with how long, in milliseconds, the organization that has waited longest has had entries that were not sealed; 0: none has. */
  readonly onWaiting?: (ms: number) => void;
  /** Called with entries that were compared with the table. */
  readonly onScrubbed?: (entries: number) => void;
  /** Between two rounds; default 5 s. */
  readonly intervalMs?: number;
  /** The share of its time that it works; default a quarter. */
  readonly share?: number;
}

const defaultIntervalMs = 5_000;
const defaultShare = 0.25;
/** The same of comparing table and ledger. */
const scrubShare = 0.05;
/** Between two comparisons of a ledger: a thousand that are idle then cost a statement in three seconds. */
const scrubRestMs = 6 * 60 * 60_000;
const scrubPauseMs = 30_000;
const turnMs = 3_000;
/** Between two rounds for each organization of the last one: with thousands that write a little, each then has several entries. */
const restMsPerOrganization = 2;
/** So long an organization that has too much to be sealed together with others has turns of its own. */
const largeForMs = 60_000;
/** Between two looks at which checkpoints are due. */
const checkpointPassMs = 10_000;
/** So often every organization is looked at: entries that were imported, or came after a failover with older transaction ids. */
const fullRoundMs = 60 * 60_000;

/** What a round has to look at besides what is new by then. The caller keeps it from one round to the next. */
export class Agenda {
  /** null: look at every organization. */
  mark: UnsealedMark | null = null;
  lookedAtAllAt = Number.NEGATIVE_INFINITY;
  /** Organizations that have more, that another collector is working on, or that failed. */
  readonly left = new Set<string>();
  /** How many organizations had something in the last round. */
  lastRound = 0;
  readonly failed = new Isolation();
  /** Organizations that had too much to be sealed together with others, and until when they are not asked to again. */
  readonly large = new Map<string, number>();
}

export function startLedger(options: LedgerOptions) {
  const { db, log, intervalMs = defaultIntervalMs, share = defaultShare } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const agenda = new Agenda();
  const progress = new SealProgress(log);
  const seal: SealOptions = {
    db,
    name: options.name,
    fingerprinter: new Fingerprinter(),
    signal,
    share,
    turnMs,
    onSealed(entries, ledger) {
      progress.sealed(entries, ledger);
      options.onSealed?.(entries);
    },
  };
  const run = async (): Promise<void> => {
    const sealing = new Outage(log, 'entries cannot be sealed', 'entries are being sealed again');
    const checking = new Outage(log, 'ledgers cannot be checked', 'ledgers are being checked again');
    let checkedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      let hasMore = false;
      await sealing.attempt(signal, async () => {
        hasMore = await sealAll(seal, agenda, log);
        // A round in which nobody had a turn shows nothing.
        return agenda.failed.isAnswering || agenda.failed.keys().length === 0;
      });
      const { checkpoints } = options;
      if (
        checkpoints &&
        !signal.aborted &&
        performance.now() - checkedAt >= Math.min(checkpointPassMs, intervalMs * 2)
      ) {
        checkedAt = performance.now();
        await checking.attempt(signal, () => checkpoints.run(signal, share));
      }
      options.onWaiting?.(progress.waitingMs(agenda.left));
      // Right away while there is more: it has waited its share.
      const restMs = Math.max(intervalMs, restMsPerOrganization * agenda.lastRound);
      await pause(hasMore ? Math.min(intervalMs, 100) : restMs, signal);
    }
  };
  const scrub = async (): Promise<void> => {
    const scrubbing = {
      ...options,
      fingerprinter: new Fingerprinter(),
      signal,
      share: scrubShare,
      restMs: scrubRestMs,
      isolation: new Isolation(firstScrubRetryMs),
    };
    const comparing = new Outage(
      log,
      'entries cannot be compared with the ledger',
      'entries are being compared with the ledger again',
    );
    while (!signal.aborted) {
      let isDue = false;
      await comparing.attempt(signal, async () => {
        isDue = await scrubNext(scrubbing);
        return isDue;
      });
      await pause(isDue ? 0 : scrubPauseMs, signal);
    }
  };
  const running = Promise.all([run(), scrub()]);
  return {
    /** Resolves when it has stopped; the next one finishes what it was doing. */
    stop: async (): Promise<void> => {
      stopped.abort();
      await running;
    },
  };
}

/** Says once that something cannot be done, and once that it can again. Nothing is missed meanwhile: positions stay. */
class Outage {
  readonly #log: Logger;
  readonly #begins: string;
  readonly #ends: string;
  #isOn = false;

  constructor(log: Logger, begins: string, ends: string) {
    this.#log = log;
    this.#begins = begins;
    this.#ends = ends;
  }

  /** `work` resolves with whether it shows that the database answers. Never rejects. */
  async attempt(signal: AbortSignal, work: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await work()) || !this.#isOn) return;
      this.#isOn = false;
      this.#log.info(this.#ends);
    } catch (error) {
      if (signal.aborted || this.#isOn) return;
      this.#isOn = true;
      this.#log.warn({ err: error }, `${this.#begins} at the moment; trying again`);
    }
  }
}

/**
 * Gives each organization that has something to seal one turn: many at once where they have a little. What is wrong with one stops no other.
 * True: some have more than their turn took.
 *
 * @throws the database's error when it may be about all organizations. The one that met it comes last in the next round.
 */
export async function sealAll(options: SealOptions, agenda: Agenda, log: Logger): Promise<boolean> {
  const { db, signal } = options;
  const startedAt = performance.now();
  agenda.failed.begin();
  const isFull = agenda.mark === null || startedAt - agenda.lookedAtAllAt > fullRoundMs;
  const { organizations, mark } = await listUnsealed(db, isFull ? null : agenda.mark);
  for (const organization of organizations) agenda.left.add(organization);
  agenda.mark = mark;
  if (isFull) agenda.lookedAtAllAt = startedAt;
  const due = agenda.failed.due(agenda.left);
  agenda.lastRound = due.length;
  let hasMore = false;
  for (let at = 0; at < due.length; at += mostTogether) {
    const some = due.slice(at, at + mostTogether);
    // One that failed would leave the others to turns of their own.
    const together = some.filter(
      (each) => !agenda.failed.has(each) && (agenda.large.get(each) ?? 0) <= startedAt,
    );
    const turns = new Map<string, Turn | 'failed'>();
    if (together.length > 1) {
      for (const [organization, turn] of await sealTogether(together, options)) turns.set(organization, turn);
      agenda.failed.succeeded(turns.keys());
      for (const each of together) if (!turns.has(each)) agenda.large.set(each, startedAt + largeForMs);
    }
    for (const organization of some) {
      if (signal.aborted) return false;
      const turn = turns.get(organization) ?? (await sealAlone(organization, options, agenda, log));
      if (isOver(turn)) agenda.left.delete(organization);
      hasMore ||= turn === 'more';
    }
  }
  return hasMore;
}

async function sealAlone(
  organization: string,
  options: SealOptions,
  { failed }: Agenda,
  log: Logger,
): Promise<Turn | 'failed'> {
  const { db, signal } = options;
  const work = async (): Promise<Turn> => {
    const turn = await sealOrganization(organization, options);
    if (turn === 'damaged') throw new Error('the last leaves of its ledger are not as its row says');
    return turn;
  };
  const onFailure = (error: unknown): void =>
    log.warn({ err: error, organization }, 'entries of an organization cannot be sealed; trying again');
  const turn = await failed.attempt(organization, work, { signal, onFailure });
  // A claim that cannot be given back ends by itself.
  if (turn === 'failed') await releaseLedgers(db, [organization]).catch(() => {});
  return turn;
}

function isOver(turn: Turn | 'failed'): boolean {
  switch (turn) {
    case 'done':
    case 'stopped':
      return true;
    case 'more':
    case 'claimed':
    case 'damaged':
    case 'failed':
      return false;
  }
}

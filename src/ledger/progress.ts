/** Knows how long organizations have waited to be sealed, and says how far a long catch-up is. */
import type { LedgerRow } from '../database/ledgers.ts';
import type { Logger } from '../telemetry/logger.ts';

const sayEveryMs = 60_000;
/** A catch-up shorter than this is not worth a line. */
const worthSaying = 100_000;

interface Waiting {
  /** `performance.now()`: since when it has entries that are not sealed, or when the latest were if it is behind from the start. */
  since: number;
  /** Sealed in this catch-up. */
  entries: number;
  readonly startedAt: number;
  saidAt: number;
}

export class SealProgress {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(log: Logger, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  sealed(entries: number, { organization, settled, size, window }: LedgerRow): void {
    const now = this.#now();
    const waiting = this.#waiting.get(organization) ?? {
      since: now,
      entries: 0,
      startedAt: now,
      saidAt: now,
    };
    waiting.entries += entries;
    // All of a table that was there before takes hours: only a standstill is a wait then.
    if (settled === '3:3:') waiting.since = now;
    if (now - waiting.saidAt > sayEveryMs) {
      waiting.saidAt = now;
      const perSecond = Math.round((1_000 * waiting.entries) / Math.max(1, now - waiting.startedAt));
      this.#log.info({ organization, sealed: size, perSecond }, 'earlier entries are being sealed');
    }
    if (window !== null) {
      this.#waiting.set(organization, waiting);
      return;
    }
    this.#waiting.delete(organization);
    if (waiting.entries >= worthSaying)
      this.#log.info({ organization, sealed: size }, 'all earlier entries are sealed');
  }

  /** How long the organization that has waited longest has done so, in milliseconds. `left`: those that are not done. */
  waitingMs(left: ReadonlySet<string>): number {
    const now = this.#now();
    let longest = 0;
    for (const organization of left) {
      const waiting = this.#waiting.get(organization);
      if (waiting) longest = Math.max(longest, now - waiting.since);
      else this.#waiting.set(organization, { since: now, entries: 0, startedAt: now, saidAt: now });
    }
    for (const organization of this.#waiting.keys())
      if (!left.has(organization)) this.#waiting.delete(organization);
    return longest;
  }
}

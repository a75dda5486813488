/**
 * Says whether this process knows how its streams fare. "Everything is delivered" may be said only on evidence: a lease that is
 * valid, and a poll that ran on the primary within the last few intervals.
 */
import { describeDatabaseFailure } from '../database/failure.ts';
import { NotPrimaryError } from '../database/primary.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LeaseClock } from './lease.ts';

/** Polls that may be missing before nothing is known any more; one that fails is not an outage. */
const missedPolls = 5;
const leastMs = 3_000;

export class Evidence {
  readonly #lease: LeaseClock;
  readonly #pollIntervalMs: number;
  readonly #log: Logger;
  #polledAt: number;
  #pollTookMs = 0;
  /** What polls take at present: the quicker one of the last two, since one alone may have waited for a lock. */
  #pollsTakeMs = 0;
  /** The last poll's or renewal's, as long as no poll has succeeded since. */
  #error: unknown = null;
  #isDown = false;
  #hasEnded = false;
  #problem: StreamFailure | null = null;

  constructor(lease: LeaseClock, pollIntervalMs: number, log: Logger) {
    this.#lease = lease;
    this.#log = log;
    this.#pollIntervalMs = pollIntervalMs;
    this.#polledAt = performance.now();
  }

  polled(tookMs: number): void {
    // It knows what was there when it was asked.
    this.#polledAt = performance.now() - tookMs;
    this.#pollsTakeMs = Math.min(tookMs, this.#pollTookMs);
    this.#pollTookMs = tookMs;
    this.#error = null;
    this.worked();
  }

  /** A poll or a renewal succeeded. */
  worked(): void {
    if (this.#isDown) this.#log.info('the database can be used again');
    this.#isDown = false;
  }

  /** A poll or a renewal failed; said once, since the next one tries again. */
  failed(error: unknown): void {
    this.#error = error;
    if (!this.#isDown)
      this.#log.error({ err: error }, `The database cannot be used: ${describeDatabaseFailure(error)}`);
    this.#isDown = true;
  }

  /** Nothing polls or renews from now on, and not because of an outage: what is known now stands. */
  end(): void {
    this.problem();
    this.#hasEnded = true;
  }

  /**
   * The failure that every stream of this process has; null: what each says about itself holds. Once the lease has expired it
   * stays as it is: another replica may have the streams by then, and says how they fare.
   */
  problem(): StreamFailure | null {
    if (this.#hasEnded) return this.#problem;
    const now = performance.now();
    const validForMs = Math.max(leastMs, missedPolls * this.#pollIntervalMs) + 2 * this.#pollsTakeMs;
    if (this.#lease.isValid() && now - this.#polledAt < validForMs) {
      this.#problem = null;
      return null;
    }
    if (this.#problem && !this.#lease.isValid()) return this.#problem;
    const isStandby = this.#error instanceof NotPrimaryError;
    this.#problem = {
      reason: isStandby ? 'DatabaseNotPrimary' : 'DatabaseUnavailable',
      message: `${this.#why(now)} Until it can, nothing is known of new entries, and nothing is sent.`,
      since: this.#problem?.since ?? Date.now(),
    };
    return this.#problem;
  }

  #why(now: number): string {
    if (this.#error !== null) return `The database cannot be used: ${describeDatabaseFailure(this.#error)}`;
    // No number of seconds: the sentence would change each time somebody looks.
    return now - this.#polledAt < leastMs
      ? 'The lease of this collector could not be renewed in time.'
      : 'The database cannot be used: it has not answered the last polls.';
  }
}

/**
 * What this process knows of its own knowledge. "Everything is delivered" may be said only on evidence: a lease that is
 * valid, and a poll that ran on the primary within the last few intervals.
 */
import { describeDatabaseFailure } from '../database/failure.ts';
import { NotPrimaryError } from '../database/primary.ts';
import type { StreamFailure } from '../model/streamHealth.ts';
import { LeaseClock } from './lease.ts';

/** Polls that may be missing before nothing is known any more; one that fails is no outage. */
const missedPolls = 5;
const leastMs = 3_000;

export class Evidence {
  readonly #lease: LeaseClock;
  readonly #pollIntervalMs: number;
  #polledAt: number;
  #pollTookMs = 0;
  /** Of the last statement of polls and renewals, as long as none has succeeded since. */
  #error: unknown = null;
  #problem: StreamFailure | null = null;

  constructor(lease: LeaseClock, pollIntervalMs: number) {
    this.#lease = lease;
    this.#pollIntervalMs = pollIntervalMs;
    this.#polledAt = LeaseClock.now();
  }

  polled(tookMs: number): void {
    this.#polledAt = LeaseClock.now();
    this.#pollTookMs = tookMs;
    this.#error = null;
  }

  failed(error: unknown): void {
    this.#error = error;
  }

  /**
   * The failure that every stream of this process has, or null: what each says of itself holds. Once the lease has expired it
   * stays as it is: another replica may have the streams by then, and says how they fare.
   */
  problem(): StreamFailure | null {
    const now = LeaseClock.now();
    const validForMs = Math.max(leastMs, missedPolls * this.#pollIntervalMs) + 2 * this.#pollTookMs;
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
    // No number of seconds: the sentence would be another one each time it is looked at.
    return now - this.#polledAt < leastMs
      ? 'The lease of this collector could not be renewed in time.'
      : 'The database cannot be used: it has not answered the last polls.';
  }
}

/** Polls for what there is to do, for all streams of the replica at once. */
import { pause } from '../basics/wait.ts';
import { type PollResult, pollStreams } from '../database/pollStreams.ts';
import type { Database } from '../database/pool.ts';

export interface PollerOptions {
  readonly db: Database;
  readonly replicaId: string;
  readonly intervalMs: number;
  /** Must not throw. */
  readonly onResult: (poll: PollResult, tookMs: number) => void;
  /** Must not throw. */
  readonly onFailure: (error: unknown) => void;
}

export class Poller {
  readonly #options: PollerOptions;
  #lastEndAt = performance.now();
  /** The snapshot of the last poll that looked at every stream; null: look at every one. */
  #snapshot: string | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** When the last poll ended, well or not. */
  get lastEndAt(): number {
    return this.#lastEndAt;
  }

  /** Polls until `stop` aborts; never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const startedAt = performance.now();
      const isWell = await this.#poll(startedAt);
      this.#lastEndAt = performance.now();
      await pause(restMs(this.#options.intervalMs, this.#lastEndAt - startedAt, isWell), stop);
    }
  }

  async #poll(startedAt: number): Promise<boolean> {
    const { db, replicaId, onResult, onFailure } = this.#options;
    try {
      // The same snapshot means that nothing has ended, unless a failover has set transaction ids back.
      const mayRest = startedAt - this.#lookedAt < fullPollIntervalMs;
      const poll = await pollStreams(db, replicaId, mayRest ? this.#snapshot : null);
      if (!mayRest || poll.snapshot !== this.#snapshot) this.#lookedAt = startedAt;
      this.#snapshot = poll.snapshot;
      onResult(poll, performance.now() - startedAt);
      return true;
    } catch (error) {
      this.#snapshot = null;
      onFailure(error);
      return false;
    }
  }
}

/**
 * Milliseconds until the next poll. Slow polls (a thousand streams, a huge open transaction) take a fifth of a connection at
 * most, as long as no entry waits for more than a second; one that failed does not say how long the next takes.
 */
export function restMs(intervalMs: number, tookMs: number, isWell: boolean): number {
  return Math.max(intervalMs, isWell ? Math.min(4 * tookMs, longestRestMs) : 0);
}

const longestRestMs = 1_000;
/** So often a poll looks at every stream even if no transaction seems to have ended. */
const fullPollIntervalMs = 5_000;

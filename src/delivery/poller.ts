/** Polls for what there is to do, for all streams of the replica at once. */
import { pause } from '../basics/wait.ts';
import { type PollMark, type PollResult, pollStreams } from '../database/pollStreams.ts';
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
  /** Where the last poll has looked; null: look at every stream. */
  #mark: PollMark | null = null;
  #lookedAtAllAt = Number.NEGATIVE_INFINITY;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** When the last poll ended, well or not. */
  get lastEndAt(): number {
    return this.#lastEndAt;
  }

  /** Polls until `stop` aborts; never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    let beforeMs = 0;
    while (!stop.aborted) {
      const startedAt = performance.now();
      const isWell = await this.#poll(startedAt);
      this.#lastEndAt = performance.now();
      const tookMs = this.#lastEndAt - startedAt;
      await pause(restMs(this.#options.intervalMs, { tookMs, beforeMs, isWell }), stop);
      beforeMs = tookMs;
    }
  }

  async #poll(startedAt: number): Promise<boolean> {
    const { db, replicaId, onResult, onFailure } = this.#options;
    try {
      if (startedAt - this.#lookedAtAllAt > fullPollIntervalMs) this.#mark = null;
      if (this.#mark === null) this.#lookedAtAllAt = startedAt;
      const poll = await pollStreams(db, replicaId, this.#mark);
      this.#mark = poll.mark;
      onResult(poll, performance.now() - startedAt);
      return true;
    } catch (error) {
      this.#mark = null;
      onFailure(error);
      return false;
    }
  }
}

/**
 * Milliseconds until the next poll. Slow polls (a thousand streams, a huge open transaction) take a fifth of a connection at
 * most, as long as no entry waits for more than a second. One slow poll does not say how long the next takes: it has failed, or
 * waited for a lock. So it rests for a slow one only if that before was slow, too.
 */
export function restMs(
  intervalMs: number,
  last: { readonly tookMs: number; readonly beforeMs: number; readonly isWell: boolean },
): number {
  const slowMs = last.isWell ? Math.min(last.tookMs, last.beforeMs) : 0;
  return Math.max(intervalMs, Math.min(4 * slowMs, longestRestMs));
}

const longestRestMs = 1_000;
/** So often a poll looks at every stream, whatever the last one has seen: nothing that could be overlooked waits longer. */
const fullPollIntervalMs = 60_000;

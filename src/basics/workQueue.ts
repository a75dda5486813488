/**
 * Works on keys, a few at a time and never twice on one at once.
 *
 *   add → waiting (FIFO) → processing → done, or waiting again after a back-off
 *
 * Promises:
 *  - A key that is added many times while it waits is worked on once; added while it is worked on, once more afterwards.
 *  - A key whose work rejects comes back, later each time, without end; others are not kept waiting by it.
 *  - After `stop` resolves nothing runs, and no timer is left.
 */
import { Backoff, type BackoffLimits } from './backoff.ts';
import { pause } from './wait.ts';

export interface WorkQueueOptions {
  readonly concurrency: number;
  /** A rejection means: try again. `signal` aborts at the stop. */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  readonly retry: BackoffLimits;
  readonly onFailure?: (key: string, error: unknown) => void;
  readonly onDepth?: (depth: number) => void;
}

/** A rejection with it sets the least time until the key's next turn. */
export class RetryLater extends Error {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** In the order of insertion. */
  readonly #waiting = new Set<string>();
  readonly #processing = new Set<string>();
  /** Added while it was worked on. */
  readonly #dirty = new Set<string>();
  readonly #backoffs = new Map<string, Backoff>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** How many keys wait. */
  get depth(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#stopped.signal.aborted) return;
    if (this.#processing.has(key)) this.#dirty.add(key);
    else this.#waiting.add(key);
    this.#startNext();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#waiting.clear();
    while (this.#running.size > 0) await Promise.all([...this.#running]);
  }

  #startNext(): void {
    for (const key of this.#waiting) {
      if (this.#processing.size >= this.#options.concurrency || this.#stopped.signal.aborted) break;
      this.#waiting.delete(key);
      this.#processing.add(key);
      this.#track(this.#process(key));
    }
    this.#options.onDepth?.(this.#waiting.size);
  }

  async #process(key: string): Promise<void> {
    const { signal } = this.#stopped;
    try {
      await this.#options.work(key, signal);
      this.#backoffs.delete(key);
    } catch (error) {
      if (!signal.aborted) {
        this.#options.onFailure?.(key, error);
        this.#track(this.#addLater(key, error instanceof RetryLater ? error.retryAfterMs : null));
      }
    }
    this.#processing.delete(key);
    if (this.#dirty.delete(key)) this.add(key);
    else this.#startNext();
  }

  async #addLater(key: string, retryAfterMs: number | null): Promise<void> {
    const backoff = this.#backoffs.get(key) ?? new Backoff(this.#options.retry);
    this.#backoffs.set(key, backoff);
    await pause(backoff.next(retryAfterMs ?? 0), this.#stopped.signal);
    // Else it has succeeded in the meantime.
    if (this.#backoffs.get(key) === backoff) this.add(key);
  }

  #track(promise: Promise<void>): void {
    this.#running.add(promise);
    void promise.finally(() => this.#running.delete(promise));
  }
}

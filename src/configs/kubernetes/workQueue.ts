/**
 * Works on keys, a few at a time and never twice on one at once.
 *
 *   add → waiting (FIFO) → processing → done, or waiting again after a back-off
 *
 * Promises:
 *  - A key that is added many times while it waits is worked on once; added while it is worked on, once more afterwards.
 *  - A key whose work rejects comes back by itself, later each time, without end; others are not kept waiting by it.
 *  - After `stop` resolves nothing runs, and no timer is left.
 */
import { pause } from './pause.ts';
import { RetryDelay, type RetryLimits } from './retryDelay.ts';

export interface WorkQueue {
  add(key: string): void;
  /** Keys that wait. */
  readonly depth: number;
  stop(): Promise<void>;
}

export interface WorkQueueOptions {
  readonly concurrency: number;
  /** A rejection means: try again. `signal` aborts at the stop. */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  readonly retry: RetryLimits;
  readonly onFailure: (key: string, error: unknown) => void;
  readonly onDepth?: (depth: number) => void;
}

/** Rejecting with it sets the least time until the key's next turn. */
export class RetryLater extends Error {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

export function makeWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { concurrency, work, retry, onFailure, onDepth } = options;
  /** In the order of insertion. */
  const waiting = new Set<string>();
  const processing = new Set<string>();
  /** Added while it was worked on. */
  const dirty = new Set<string>();
  const delays = new Map<string, RetryDelay>();
  const running = new Set<Promise<void>>();
  const stopped = new AbortController();

  function track(promise: Promise<void>): void {
    running.add(promise);
    void promise.finally(() => running.delete(promise));
  }

  function add(key: string): void {
    if (stopped.signal.aborted) return;
    if (processing.has(key)) dirty.add(key);
    else waiting.add(key);
    startNext();
  }

  function startNext(): void {
    for (const key of waiting) {
      if (processing.size >= concurrency || stopped.signal.aborted) break;
      waiting.delete(key);
      processing.add(key);
      track(process(key));
    }
    onDepth?.(waiting.size);
  }

  async function process(key: string): Promise<void> {
    try {
      await work(key, stopped.signal);
      delays.delete(key);
    } catch (error) {
      if (!stopped.signal.aborted) {
        onFailure(key, error);
        track(addLater(key, error instanceof RetryLater ? error.retryAfterMs : null));
      }
    }
    processing.delete(key);
    if (dirty.delete(key)) add(key);
    else startNext();
  }

  async function addLater(key: string, retryAfterMs: number | null): Promise<void> {
    const delay = delays.get(key) ?? new RetryDelay(retry);
    delays.set(key, delay);
    await pause(delay.next(retryAfterMs), stopped.signal);
    // It has succeeded in the meantime.
    if (delays.get(key) === delay) add(key);
  }

  return {
    add,
    get depth() {
      return waiting.size;
    },
    async stop() {
      stopped.abort();
      waiting.clear();
      while (running.size > 0) await Promise.all([...running]);
    },
  };
}

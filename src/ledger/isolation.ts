/**
 * Keeps what one of many meets from the others: whoever has failed comes after them, and waits longer each time.
 *
 * Where an error does not say whose it is, the others do: it is its own if somebody has succeeded since the last such one.
 */
import { isOfOneLedger } from './ledgerFault.ts';

interface Setback {
  /** How many of its failures were its own. */
  readonly failures: number;
  /** By `performance.now()`. */
  readonly retryAt: number;
}

export interface AttemptOptions {
  readonly signal: AbortSignal;
  /** Called when it fails for the first time with what is its own. */
  readonly onFailure: (error: unknown) => void;
}

const longestRetryMs = 15 * 60_000;

export class Isolation {
  readonly #firstRetryMs: number;
  readonly #setbacks = new Map<string, Setback>();
  #isAnswering = false;

  /** `firstRetryMs`: the wait after a failure; doubles with each that is its own, up to 15 minutes. */
  constructor(firstRetryMs = 15_000) {
    this.#firstRetryMs = firstRetryMs;
  }

  /** A new round: what was answered before says nothing about the database as it is now. */
  begin(): void {
    this.#isAnswering = false;
  }

  /** Somebody has succeeded since the round began, and since the last error that may have been everybody's. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Those of `keys` whose turn it is; those that have failed come last, and first of them who has waited longest. */
  due(keys: Iterable<string>): string[] {
    const now = performance.now();
    const retryAt = (key: string): number => this.#setbacks.get(key)?.retryAt ?? 0;
    return [...keys].filter((key) => retryAt(key) <= now).sort((a, b) => retryAt(a) - retryAt(b));
  }

  /** Those that wait. */
  waiting(): string[] {
    const now = performance.now();
    return [...this.#setbacks].filter(([, { retryAt }]) => retryAt > now).map(([key]) => key);
  }

  /** Whether it failed the last time. */
  has(key: string): boolean {
    return this.#setbacks.has(key);
  }

  /** Those that failed the last time. */
  keys(): string[] {
    return [...this.#setbacks.keys()];
  }

  /** Everybody's turn comes at once. */
  clear(): void {
    this.#setbacks.clear();
  }

  succeeded(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#isAnswering = true;
      this.#setbacks.delete(key);
    }
  }

  /** @throws the error if it may be everybody's: end the round, and this one comes last in the next. */
  async attempt<T>(
    key: string,
    work: () => Promise<T>,
    { signal, onFailure }: AttemptOptions,
  ): Promise<T | 'failed'> {
    try {
      const result = await work();
      this.succeeded([key]);
      return result;
    } catch (error) {
      if (signal.aborted) throw error;
      const isCertain = isOfOneLedger(error);
      const isOwn = isCertain || this.#isAnswering;
      if (!isCertain) this.#isAnswering = false;
      const failures = (this.#setbacks.get(key)?.failures ?? 0) + (isOwn ? 1 : 0);
      const waitMs = Math.min(longestRetryMs, this.#firstRetryMs * 2 ** Math.max(0, failures - 1));
      this.#setbacks.set(key, { failures, retryAt: performance.now() + waitMs });
      if (!isOwn) throw error;
      if (failures === 1) onFailure(error);
      return 'failed';
    }
  }
}

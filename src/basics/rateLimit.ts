/** Spreads work over time: `burst` at once, then `perSecond`. Whoever comes first goes first. */
import { pause } from './wait.ts';

export class RateLimit {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** When all turns given so far are used up. */
  #usedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: { readonly perSecond: number; readonly burst: number }) {
    this.#intervalMs = 1_000 / options.perSecond;
    this.#burstMs = options.burst * this.#intervalMs;
  }

  /** Resolves when it is the caller's turn, or when `signal` aborts. */
  async take(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#usedUntil = Math.max(this.#usedUntil, now - this.#burstMs) + this.#intervalMs;
    if (this.#usedUntil > now) await pause(this.#usedUntil - now, signal);
  }
}

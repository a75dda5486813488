/** Spreads requests over time: `burst` at once, then `perSecond`. Whoever comes first goes first. */
import { pause } from './pause.ts';

export interface RateLimit {
  /** Resolves when it is the caller's turn, or when `signal` aborts. */
  take(signal: AbortSignal): Promise<void>;
}

export function makeRateLimit(options: { readonly perSecond: number; readonly burst: number }): RateLimit {
  const intervalMs = 1_000 / options.perSecond;
  const burstMs = options.burst * intervalMs;
  /** When all turns given so far are used up. */
  let usedUntil = Number.NEGATIVE_INFINITY;
  return {
    async take(signal) {
      const now = performance.now();
      usedUntil = Math.max(usedUntil, now - burstMs) + intervalMs;
      if (usedUntil > now) await pause(usedUntil - now, signal);
    },
  };
}

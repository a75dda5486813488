import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** Default: 10. A condition that takes longer rests as long as it took, so that waiting leaves the machine to others. */
  readonly pollMs?: number;
  /** Describes the current state, for the error of a wait that timed out. */
  readonly describe?: () => string;
}

/** Resolves with the first value of `condition` that is neither false nor undefined. @throws Error after `timeoutMs` (30 s). */
export async function waitFor<T>(
  condition: () => T | false | undefined | Promise<T | false | undefined>,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 30_000, pollMs = 10, describe = () => '' } = options;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const startedAt = performance.now();
    const value = await condition();
    if (value !== false && value !== undefined) return value;
    if (Date.now() > deadline)
      throw new Error(`Waited ${timeoutMs} ms in vain for ${condition}. ${describe()}`);
    await delay(Math.max(pollMs, performance.now() - startedAt));
  }
}

/** Waits that can be ended early, each by a signal. */

/** Longer waits than setTimeout takes end early; every caller looks again. */
const longestTimerMs = 2 ** 31 - 1;

/** Wakes one waiter. Rings between two waits count as one, and none is lost: the next wait then ends at once. */
export class Bell {
  #isRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Waits for a ring, for `timeoutMs` at most (Infinity: without end), or until `signal` aborts. Never rejects. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<'rung' | 'timeout' | 'aborted'> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(timeoutMs, longestTimerMs));
      const onAbort = () => resolve();
      signal.addEventListener('abort', onAbort);
      this.#wake = resolve;
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#wake = null;
    }
    if (signal.aborted) return 'aborted';
    const isRung = this.#isRung;
    this.#isRung = false;
    return isRung ? 'rung' : 'timeout';
  }
}

/** Waits `ms` (Infinity: without end), or until `signal` aborts; the signal says which it was. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Bell().wait(ms, signal);
}

/** What took longer has waited for a lock or a time limit more than it has worked. */
const longestWorkMs = 5_000;

/** After work that began at `startedAt` (`performance.now()`): rests so long that it takes `share` of the time. Of work, 5 s count at most. Never rejects. */
export async function restAfter(startedAt: number, share: number, signal: AbortSignal): Promise<void> {
  const workMs = Math.min(longestWorkMs, performance.now() - startedAt);
  await pause(workMs * (1 / share - 1), signal);
}

/**
 * A fixed number of places, handed out in the order they were asked for. Waiting here does not count against an
 * attempt's deadline: with many streams to one receiver, a wait for our own connections would otherwise look like a
 * slow receiver.
 */
export class Slots {
  #free: number;
  #closed = false;
  readonly #waiting = new Set<(got: boolean) => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** True once a place is ours: give it back with `release`. False when `signal` or `close` ended the wait. */
  take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#closed) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (got: boolean) => {
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', giveUp);
        resolve(got);
      };
      const giveUp = () => settle(false);
      this.#waiting.add(settle);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the place to whoever has waited longest. */
  release(): void {
    const [next] = this.#waiting;
    if (next) next(true);
    else this.#free += 1;
  }

  /** Hands out no more: ends every wait with false. Places that are taken stay taken. */
  close(): void {
    this.#closed = true;
    for (const settle of [...this.#waiting]) settle(false);
  }
}

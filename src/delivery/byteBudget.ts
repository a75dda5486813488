/**
 * Bounds what all streams together hold in memory, first come first served: a stream reads its next page only when
 * there is room. After a long outage a thousand streams have work at once; this is why that is not a thousand pages.
 */
export class ByteBudget {
  #free: number;
  readonly #waiting: Array<{ bytes: number; resolve: (ok: boolean) => void }> = [];

  constructor(totalBytes: number) {
    this.#free = totalBytes;
  }

  /** Takes `bytes`, at most the total; false when `signal` aborts first. */
  async acquire(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#waiting.length === 0 && this.#free >= bytes) {
      this.#free -= bytes;
      return true;
    }
    return new Promise((resolve) => {
      const request = { bytes, resolve };
      this.#waiting.push(request);
      signal.addEventListener(
        'abort',
        () => {
          const at = this.#waiting.indexOf(request);
          if (at === -1) return;
          this.#waiting.splice(at, 1);
          resolve(false);
        },
        { once: true },
      );
    });
  }

  /** Gives back. A negative number takes without waiting: a page turned out larger than asked for. */
  release(bytes: number): void {
    this.#free += bytes;
    for (;;) {
      const first = this.#waiting[0];
      if (!first || first.bytes > this.#free) return;
      this.#waiting.shift();
      this.#free -= first.bytes;
      first.resolve(true);
    }
  }
}

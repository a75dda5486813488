/**
 * Bounds what all streams together hold in memory. After a long outage a thousand streams have work at once; this is why that
 * is not a thousand pages.
 *
 * Promises:
 *  - A stream that holds nothing gets a small first page at once, whatever the others hold: their slow receivers are not its
 *    business. So what may be held is the total and one first page a stream.
 *  - The rest goes to whoever holds least, and among equals to who came first.
 *  - One stream alone takes at most half of it, unless a single request wants more.
 */
export class ByteBudget {
  readonly #total: number;
  #free: number;
  readonly #held = new Map<string, number>();
  readonly #waiting: Request[] = [];

  constructor(totalBytes: number) {
    this.#total = totalBytes;
    this.#free = totalBytes;
  }

  /** How large a first page may be: a share of an eighth of the total, so that a thousand of them take not much more than that. */
  get firstPageBytes(): number {
    const share = this.#total / 8 / Math.max(1, this.#held.size);
    return Math.max(minFirstPageBytes, Math.min(maxFirstPageBytes, Math.floor(share)));
  }

  /** The most that one request may ask for. */
  get mostBytes(): number {
    return Math.floor(this.#total / 2);
  }

  /** Bytes that `stream` holds. */
  heldBy(stream: string): number {
    return this.#held.get(stream) ?? 0;
  }

  /** Takes `bytes` for `stream`, at most `mostBytes`; false when `signal` aborts first. */
  async acquire(stream: string, bytes: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    const isFirst = this.heldBy(stream) === 0 && bytes <= this.firstPageBytes;
    if (isFirst || (this.#waiting.length === 0 && this.#mayHave(stream, bytes))) {
      this.#take(stream, bytes);
      return true;
    }
    return new Promise((resolve) => {
      const waiting = { stream, bytes, resolve };
      this.#waiting.push(waiting);
      // Others that wait may want more than there is.
      this.#serve();
      signal.addEventListener(
        'abort',
        () => {
          const at = this.#waiting.indexOf(waiting);
          if (at === -1) return;
          this.#waiting.splice(at, 1);
          resolve(false);
          this.#serve();
        },
        { once: true },
      );
    });
  }

  /** Gives back. A negative number takes without waiting: a page turned out larger than asked for. */
  release(stream: string, bytes: number): void {
    this.#take(stream, -bytes);
    this.#serve();
  }

  #mayHave(stream: string, bytes: number): boolean {
    return bytes <= this.#free && this.#isWithinShare(stream, bytes);
  }

  #isWithinShare(stream: string, bytes: number): boolean {
    const held = this.heldBy(stream);
    return held === 0 || held + bytes <= this.mostBytes;
  }

  #take(stream: string, bytes: number): void {
    this.#free -= bytes;
    const held = this.heldBy(stream) + bytes;
    if (held > 0) this.#held.set(stream, held);
    else this.#held.delete(stream);
  }

  #serve(): void {
    for (;;) {
      let next: Request | undefined;
      for (const request of this.#waiting) {
        if (!this.#isWithinShare(request.stream, request.bytes)) continue;
        if (!next || this.heldBy(request.stream) < this.heldBy(next.stream)) next = request;
      }
      // The one that holds least waits until it fits: a large page is not passed over for ever by small ones.
      if (!next || next.bytes > this.#free) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#take(next.stream, next.bytes);
      next.resolve(true);
    }
  }
}

interface Request {
  readonly stream: string;
  readonly bytes: number;
  readonly resolve: (ok: boolean) => void;
}

const minFirstPageBytes = 32 * 1024;
const maxFirstPageBytes = 256 * 1024;

/**
 * Bounds what all streams together hold in memory. After a long outage a thousand streams have work at once; this is why that
 * is not a thousand pages.
 *
 * Promises:
 *  - A stream that holds nothing gets a small first page at once, whatever the others hold: it does not wait for their slow
 *    receivers. So at most the total and one first page a stream are held.
 *  - The rest goes to the stream that holds least, and among equals to the one that came first.
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

  heldBy(stream: string): number {
    return this.#held.get(stream) ?? 0;
  }

  /**
   * Takes `bytes` for `stream`, at most `mostBytes`; returns how many it got, 0 when `signal` aborts first. Unless it needs all of
   * them (`whole`), a stream that holds nothing gets a first page rather than waiting.
   */
  async acquire(
    stream: string,
    bytes: number,
    signal: AbortSignal,
    kind: 'page' | 'whole' = 'page',
  ): Promise<number> {
    if (signal.aborted) return 0;
    return new Promise((resolve) => {
      const waiting = { stream, bytes, kind, resolve };
      this.#waiting.push(waiting);
      signal.addEventListener(
        'abort',
        () => {
          const at = this.#waiting.indexOf(waiting);
          if (at === -1) return;
          this.#waiting.splice(at, 1);
          resolve(0);
          this.#serve();
        },
        { once: true },
      );
      this.#serve();
    });
  }

  /** Gives `bytes` back. A negative number takes without waiting: a page turned out larger than asked for. */
  release(stream: string, bytes: number): void {
    this.#take(stream, -bytes);
    this.#serve();
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
      if (!next || next.bytes > this.#free) break;
      this.#grant(next, next.bytes);
    }
    for (const request of [...this.#waiting]) {
      if (request.kind === 'page' && this.heldBy(request.stream) === 0)
        this.#grant(request, Math.min(request.bytes, this.firstPageBytes));
    }
  }

  #grant(request: Request, bytes: number): void {
    this.#waiting.splice(this.#waiting.indexOf(request), 1);
    this.#take(request.stream, bytes);
    request.resolve(bytes);
  }
}

interface Request {
  readonly stream: string;
  readonly bytes: number;
  readonly kind: 'page' | 'whole';
  readonly resolve: (bytes: number) => void;
}

const minFirstPageBytes = 32 * 1024;
const maxFirstPageBytes = 256 * 1024;

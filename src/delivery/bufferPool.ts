/**
 * Keeps the memory of batches for the next ones. Fresh memory, some megabytes a request, would have to wait for a
 * garbage collection that V8, which hardly sees it, is slow to start: measured 30 MiB more in a long catch-up.
 */
export class BufferPool {
  readonly #free: Uint8Array[] = [];
  #freeBytes = 0;
  readonly #maxBytes: number;

  /** Keeps at most `maxBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A buffer with whatever it held before, or undefined: make a new one. */
  take(): Uint8Array | undefined {
    const buffer = this.#free.pop();
    if (buffer) this.#freeBytes -= buffer.length;
    return buffer;
  }

  /** Nobody may use `buffer` afterwards. */
  give(buffer: Uint8Array): void {
    // A small one would only grow again.
    if (buffer.length < minBytes || this.#freeBytes + buffer.length > this.#maxBytes) return;
    this.#free.push(buffer);
    this.#freeBytes += buffer.length;
  }
}

const minBytes = 256 * 1024;

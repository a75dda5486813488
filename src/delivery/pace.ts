/** How much goes at once: full speed while it works, one small batch after a failure, never more bytes than were too many. */
import type { DeliveryOptions } from './context.ts';

export class Pace {
  readonly #options: DeliveryOptions;
  #maxBytes: number;
  #inFlight: number;
  #isProbing = false;
  #isSlow = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBatchBytes;
    this.#inFlight = options.maxRequestsInFlight;
  }

  /** For the next run. `recordLimit` narrows it further. */
  next(
    maxBatchSize: number,
    recordLimit: number,
  ): {
    limits: { records: number; bytes: number };
    maxInFlight: () => number;
    single: boolean;
    pageBytes: () => number;
    onAnswer: (tookMs: number) => void;
  } {
    const records = Math.min(maxBatchSize, recordLimit, this.#isProbing ? probeRecords : maxBatchSize);
    const bytes = this.#isProbing ? Math.min(this.#maxBytes, probeBytes) : this.#maxBytes;
    return {
      limits: { records, bytes },
      maxInFlight: () => this.#inFlight,
      single: this.#isProbing,
      pageBytes: () => this.#pageBytes(),
      onAnswer: (tookMs) => this.#answered(tookMs),
    };
  }

  #pageBytes(): number {
    if (this.#isProbing) return probeBytes;
    return this.#isSlow ? slowPageBytes : Math.max(this.#maxBytes, fullPageBytes);
  }

  /** Whoever answers slowly gets little at once, whatever the answer: what it has been sent is memory that others wait for. */
  #answered(tookMs: number): void {
    this.#isSlow = tookMs >= slowAnswerMs;
    if (this.#isSlow) this.#inFlight = Math.max(1, Math.floor(this.#inFlight / 2));
  }

  succeeded(): void {
    this.#isProbing = false;
    if (!this.#isSlow) this.#inFlight = Math.min(this.#options.maxRequestsInFlight, this.#inFlight * 2);
  }

  failed(): void {
    this.#isProbing = true;
    this.#inFlight = 1;
  }

  /** A batch of `bytes` was too large: half of it from now on. */
  tooLarge(bytes: number): void {
    this.#maxBytes = Math.max(1, Math.floor(Math.min(bytes, this.#maxBytes) / 2));
    this.#inFlight = 1;
  }

  reset(): void {
    this.#maxBytes = this.#options.maxBatchBytes;
    this.#isSlow = false;
    this.succeeded();
  }
}

/** Small, so that a thousand streams that hang on their receivers do not take each other's memory budget. */
const probeRecords = 100;
const probeBytes = 256 * 1024;
const slowAnswerMs = 5_000;
const slowPageBytes = 1024 * 1024;
const fullPageBytes = 4 * 1024 * 1024;

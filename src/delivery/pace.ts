/** How much goes at once: full speed while it works, one small batch after a failure, never more bytes than were too many. */
import type { BatchLimits } from './batch.ts';
import type { DeliveryOptions } from './deliveryContext.ts';

export class Pace {
  readonly #options: Pick<DeliveryOptions, 'maxBatchBytes' | 'maxRequestsInFlight'>;
  #maxBytes: number;
  #maxInFlight: number;
  #isProbing = false;
  #isSlow = false;

  constructor(options: Pick<DeliveryOptions, 'maxBatchBytes' | 'maxRequestsInFlight'>) {
    this.#options = options;
    this.#maxBytes = options.maxBatchBytes;
    this.#maxInFlight = options.maxRequestsInFlight;
  }

  /** True after a failure: send one small batch. */
  get isProbing(): boolean {
    return this.#isProbing;
  }

  /** Requests that may wait for their answer at once. Each answer may change it. */
  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  /** A page ends with the record that passes so many bytes. */
  get pageBytes(): number {
    if (this.#isProbing) return probeBytes;
    return this.#isSlow ? slowPageBytes : Math.max(this.#maxBytes, fullPageBytes);
  }

  /** Limits of the next batches, which may have `records` at most. */
  limits(records: number): BatchLimits {
    return this.#isProbing
      ? { records: Math.min(records, probeRecords), bytes: Math.min(this.#maxBytes, probeBytes) }
      : { records, bytes: this.#maxBytes };
  }

  /** A receiver that answers slowly gets little at once, whatever it answers: what is on its way is memory that others wait for. */
  answered(tookMs: number): void {
    this.#isSlow = tookMs >= slowAnswerMs;
    if (this.#isSlow) this.#maxInFlight = Math.max(1, Math.floor(this.#maxInFlight / 2));
  }

  succeeded(): void {
    this.#isProbing = false;
    if (!this.#isSlow) this.#maxInFlight = Math.min(this.#options.maxRequestsInFlight, this.#maxInFlight * 2);
  }

  failed(): void {
    this.#isProbing = true;
    this.#maxInFlight = 1;
  }

  /** A batch of `bytes` was too large: half of it from now on. */
  tooLarge(bytes: number): void {
    this.#maxBytes = Math.max(1, Math.floor(Math.min(bytes, this.#maxBytes) / 2));
    this.#maxInFlight = 1;
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

/** What one stream has learned about its endpoint, in memory only: a restart learns it again. The last record can be built again, see lastRecord.ts. */
import { Backoff } from '../basics/backoff.ts';
import type { Failed } from '../model/outcome.ts';
import type { BatchLimits } from './batch.ts';
import type { DeliveryOptions } from './deliveryContext.ts';
import { Isolation } from './isolation.ts';
import { Pace } from './pace.ts';

export class Endpoint {
  readonly pace: Pace;
  readonly isolation = new Isolation();
  readonly #retry: Backoff;
  readonly #hold: Backoff;
  #lastAccepted: Uint8Array | null = null;

  constructor(options: DeliveryOptions) {
    this.pace = new Pace(options);
    this.#retry = new Backoff(options.retry);
    this.#hold = new Backoff(options.hold);
  }

  /** The last record that it accepted, as a request of its own; null: none that is small enough to keep. */
  get lastAccepted(): Uint8Array | null {
    return this.#lastAccepted;
  }

  /** True: one batch at a time, after a failure or while a refused record is looked for. */
  get isProbed(): boolean {
    return this.pace.isProbing || this.isolation.isActive;
  }

  batchLimits(maxBatchSize: number): BatchLimits {
    return this.pace.limits(Math.min(maxBatchSize, this.isolation.recordLimit));
  }

  /** It has accepted `records`, and the position has moved over them. */
  accepted(records: number, lastRecord: Uint8Array | null): void {
    if (lastRecord) this.#lastAccepted = lastRecord;
    this.isolation.accepted(records);
    this.pace.succeeded();
    this.resetBackoffs();
  }

  /** Nothing gets through: the next batch is a small one. Returns how many milliseconds to wait until then. */
  failed(outcome: Failed): number {
    this.pace.failed();
    return outcome.kind === 'retry' ? this.#retry.next(outcome.retryAfterMs) : this.#hold.next();
  }

  resetBackoffs(): void {
    this.#retry.reset();
    this.#hold.reset();
  }

  /** The endpoint, a header or a certificate has changed: what was learned does not hold any more. */
  forget(): void {
    this.isolation.reset();
    this.pace.reset();
    this.#lastAccepted = null;
    this.resetBackoffs();
  }
}

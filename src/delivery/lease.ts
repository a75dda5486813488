/**
 * Tells whether this replica may still send, on the safe side of the database's clock: by `performance.now()`, which goes on while the
 * process is paused and never back.
 */
export class LeaseClock {
  readonly #durationMs: number;
  #validUntil = 0;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** `askedAt` is the time of just before the renewal was sent: the database's expiry can only be later. */
  renewed(askedAt: number): void {
    this.#validUntil = askedAt + this.#durationMs;
  }

  isValid(): boolean {
    return performance.now() < this.#validUntil;
  }
}

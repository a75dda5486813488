/** Tells whether this replica may still send, by its own clock and on the safe side of the database's. */
export class LeaseClock {
  readonly #durationMs: number;
  #validUntil = 0;

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  /** `askedAt` is `now()` of just before the renewal was sent: the database's expiry can only be later. */
  renewed(askedAt: number): void {
    this.#validUntil = askedAt + this.#durationMs;
  }

  isValid(): boolean {
    return LeaseClock.now() < this.#validUntil;
  }

  /** Monotonic milliseconds, which go on while the process is paused. */
  static now(): number {
    return performance.now();
  }
}

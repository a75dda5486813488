/** How long to wait after a failure: doubling, with jitter, up to a limit, without end. */
export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #failures = 0;

  constructor(limits: BackoffLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  /**
   * The next wait in milliseconds: between half and all of the doubled value, so that a thousand who failed together do not
   * come back together; at least `retryAfterMs`, which is what the other side asked for.
   */
  next(retryAfterMs = 0): number {
    const { initialMs, maxMs } = this.#limits;
    const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.max(retryAfterMs, Math.round(ceiling * (0.5 + this.#random() / 2)));
  }

  reset(): void {
    this.#failures = 0;
  }
}

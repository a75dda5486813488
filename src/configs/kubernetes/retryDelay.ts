/** How long to wait before the API server is asked again: doubling, with jitter, up to a limit, without end. */
export interface RetryLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** As client-go's reflector: 0.8 s doubling to 30 s. */
export const apiRetry: RetryLimits = { initialMs: 800, maxMs: 30_000 };
/** Whoever has been healthy for so long starts from the shortest wait again. */
const healthyAfterMs = 120_000;

export class RetryDelay {
  readonly #limits: RetryLimits;
  #failures = 0;
  #healthySince: number | null = null;

  constructor(limits: RetryLimits = apiRetry) {
    this.#limits = limits;
  }

  /** Between half and all of the doubled value, so that a thousand watches do not come back together; at least `retryAfterMs`. */
  next(retryAfterMs: number | null = null): number {
    if (this.#healthySince !== null && performance.now() - this.#healthySince >= healthyAfterMs) {
      this.#failures = 0;
    }
    this.#healthySince = null;
    const ceiling = Math.min(this.#limits.maxMs, this.#limits.initialMs * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    return Math.max(retryAfterMs ?? 0, Math.round(ceiling * (0.5 + Math.random() / 2)));
  }

  healthy(): void {
    this.#healthySince ??= performance.now();
  }
}

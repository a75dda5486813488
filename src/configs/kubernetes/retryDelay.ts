/** How long to wait before the API server is asked again: a back-off that starts over after healthy minutes. */
import { Backoff, type BackoffLimits } from '../../basics/backoff.ts';

/** As client-go's reflector: 0.8 s doubling to 30 s. */
export const apiRetry: BackoffLimits = { initialMs: 800, maxMs: 30_000 };
const healthyAfterMs = 120_000;

export class RetryDelay {
  readonly #backoff: Backoff;
  #healthySince: number | null = null;

  constructor(limits: BackoffLimits = apiRetry) {
    this.#backoff = new Backoff(limits);
  }

  /** The next wait in milliseconds, at least `retryAfterMs`. */
  next(retryAfterMs: number | null = null): number {
    const isHealthy = this.#healthySince !== null && performance.now() - this.#healthySince >= healthyAfterMs;
    if (isHealthy) this.#backoff.reset();
    this.#healthySince = null;
    return this.#backoff.next(retryAfterMs ?? 0);
  }

  healthy(): void {
    this.#healthySince ??= performance.now();
  }
}

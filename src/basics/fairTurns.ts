/**
 * Gives organizations turns at something scarce, such as connections: the waiting organization with the fewest running turns goes
 * first. The policy decides how many turns one organization may have.
 */

/** Whether an organization with `own` running turns, of `all` that are running, may start another. */
export type TurnPolicy = (organization: string, own: number, all: number) => boolean;

interface Waiting {
  readonly organization: string;
  readonly start: () => void;
}

export class FairTurns {
  readonly #mayStart: TurnPolicy;
  readonly #running = new Map<string, number>();
  #all = 0;
  #waiting: Waiting[] = [];

  constructor(mayStart: TurnPolicy) {
    this.#mayStart = mayStart;
  }

  /** Does `work` when it is the organization's turn; returns 'aborted' if `signal` aborts first. */
  async run<T>(organization: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | 'aborted'> {
    if (!(await this.#take(organization, signal))) return 'aborted';
    try {
      return await work();
    } finally {
      this.#change(organization, -1);
      this.#startNext();
    }
  }

  #take(organization: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#isFree(organization)) {
      this.#change(organization, 1);
      return Promise.resolve(true);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: Waiting = { organization, start: () => resolve(true) };
    const leave = (): void => {
      this.#waiting = this.#waiting.filter((each) => each !== waiting);
      resolve(false);
    };
    signal.addEventListener('abort', leave, { once: true });
    this.#waiting.push(waiting);
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** May start several: the policy can have held back more than one. */
  #startNext(): void {
    for (;;) {
      const [next] = this.#waiting
        .filter(({ organization }) => this.#isFree(organization))
        .sort((a, b) => this.#ownOf(a.organization) - this.#ownOf(b.organization));
      if (!next) return;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#change(next.organization, 1);
      next.start();
    }
  }

  #isFree(organization: string): boolean {
    return this.#mayStart(organization, this.#ownOf(organization), this.#all);
  }

  #ownOf(organization: string): number {
    return this.#running.get(organization) ?? 0;
  }

  #change(organization: string, by: 1 | -1): void {
    this.#all += by;
    const own = this.#ownOf(organization) + by;
    if (own === 0) this.#running.delete(organization);
    else this.#running.set(organization, own);
  }
}

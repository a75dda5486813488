/**
 * Shares of the connections that entries are read by. An organization whose entries take seconds to read, however many
 * exports it has, keeps no other one waiting.
 *
 * All but one of the connections are places for reads: the last one is for pinning and settling, which take moments. One
 * organization has half of the places at most; one whose reads are slow has one, and the last place is never for those. Who
 * waits is served in turns, the organization with the least under way first.
 */
interface Waiting {
  readonly organization: string;
  readonly start: () => void;
}

/** A page takes milliseconds; a second is an entry that hardly fits, or a database that hardly answers. */
const slowMs = 1_000;
/** An organization counts as slow for so long after a slow read. */
const rememberedMs = 60_000;

export class ReadPlaces {
  readonly #total: number;
  readonly #running = new Map<string, number>();
  /** Organization → until when it counts as slow. */
  readonly #slow = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(connections: number) {
    this.#total = Math.max(1, connections - 1);
  }

  /** Does `work` when there is a place for the organization; 'aborted' when `signal` comes first. */
  async run<T>(organization: string, signal: AbortSignal, work: () => Promise<T>): Promise<T | 'aborted'> {
    if (!(await this.#take(organization, signal))) return 'aborted';
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const endedAt = performance.now();
      if (endedAt - startedAt > slowMs) this.#slow.set(organization, endedAt + rememberedMs);
      this.#change(organization, -1);
      this.#startNext();
    }
  }

  #take(organization: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#mayStart(organization)) {
      this.#change(organization, 1);
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        resolve(false);
      };
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const waiting: Waiting = { organization, start };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #startNext(): void {
    for (;;) {
      const [next] = this.#waiting
        .filter(({ organization }) => this.#mayStart(organization))
        .sort((a, b) => this.#countOf(a.organization) - this.#countOf(b.organization));
      if (!next) return;
      this.#waiting = this.#waiting.filter((each) => each !== next);
      this.#change(next.organization, 1);
      next.start();
    }
  }

  #mayStart(organization: string): boolean {
    const total = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    const count = this.#countOf(organization);
    if (this.#isSlow(organization)) return count === 0 && total < Math.max(1, this.#total - 1);
    return total < this.#total && count < Math.ceil(this.#total / 2);
  }

  #isSlow(organization: string): boolean {
    const until = this.#slow.get(organization);
    if (until === undefined) return false;
    if (performance.now() < until) return true;
    this.#slow.delete(organization);
    return false;
  }

  #countOf(organization: string): number {
    return this.#running.get(organization) ?? 0;
  }

  #change(organization: string, by: 1 | -1): void {
    const count = this.#countOf(organization) + by;
    if (count === 0) this.#running.delete(organization);
    else this.#running.set(organization, count);
  }
}

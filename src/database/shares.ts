/**
 * Shares of the page's connections: what one organization asks for, however much and however slow, leaves some for the others.
 *
 * All but one of the connections serve searches, and one organization has all but one of those. Who waits is served in turns by
 * organization, those with the least under way first.
 */
import { boundedRead, type Reader } from './boundedRead.ts';
import type { Database } from './pool.ts';

/** Then the database counts as busy, as when a pool has no connection for so long. */
const longestWaitMs = 10_000;

interface Waiting {
  readonly organization: string;
  readonly start: () => void;
}

class Shares {
  readonly #total: number;
  readonly #each: number;
  readonly #running = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(connections: number) {
    this.#total = Math.max(1, connections - 1);
    this.#each = Math.max(1, this.#total - 1);
  }

  /** @throws the signal's reason, or an error that says that it took too long. */
  async run<T>(organization: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    await this.#takeTurn(organization, signal);
    try {
      return await work();
    } finally {
      this.#change(organization, -1);
      this.#startNext();
    }
  }

  async #takeTurn(organization: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.#mayStart(organization)) {
      this.#change(organization, 1);
      return;
    }
    const end = AbortSignal.any([AbortSignal.timeout(longestWaitMs), ...(signal ? [signal] : [])]);
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiting);
        reject(
          signal?.aborted
            ? signal.reason
            : new Error(
                'timeout exceeded when trying to connect: too many searches of this organization are under way',
              ),
        );
      };
      const waiting: Waiting = {
        organization,
        start: () => {
          end.removeEventListener('abort', leave);
          resolve();
        },
      };
      if (end.aborted) leave();
      else {
        end.addEventListener('abort', leave, { once: true });
        this.#waiting.push(waiting);
      }
    });
  }

  #startNext(): void {
    const [next] = this.#waiting
      .filter(({ organization }) => this.#mayStart(organization))
      .sort((a, b) => this.#countOf(a.organization) - this.#countOf(b.organization));
    if (!next) return;
    this.#waiting = this.#waiting.filter((each) => each !== next);
    this.#change(next.organization, 1);
    next.start();
  }

  #mayStart(organization: string): boolean {
    const total = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    return total < this.#total && this.#countOf(organization) < this.#each;
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

const sharesOf = new WeakMap<Database, Shares>();

/** As `boundedRead`, when it is this organization's turn; never inside of another one. */
export function sharedRead<T>(
  db: Database,
  organization: string,
  timeoutMs: number,
  work: (reader: Reader) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  let shares = sharesOf.get(db);
  if (!shares) {
    shares = new Shares(db.options.max);
    sharesOf.set(db, shares);
  }
  return shares.run(organization, signal, () => boundedRead(db, timeoutMs, work));
}

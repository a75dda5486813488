/**
 * Holds what people read ("Delivering", "Every entry is delivered") against the table and the receiver, for as long as a test
 * runs; a lie fails the test.
 *
 * One race is allowed for, by `graceMs`: what was committed a moment ago may be unknown to a text that is drawn from a status.
 * Everything else goes by the order of reading: the table first, then the words, then the ledger, so that what is committed or
 * arrives meanwhile can only be in favour of the words.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';

/** What a receiver has kept of an export, at the moment when it is asked. */
export interface Kept {
  readonly count: number;
  has(uid: string): boolean;
}

/** An export as it is at one moment. */
export interface Sight {
  /** What a person reads now; undefined: nothing yet. */
  readonly words: string | undefined;
  /** Uids of the committed entries that the receiver is to have: at least all that no look before has named. Read before the words. */
  readonly committed: readonly string[];
  /** Asked after the words were read. */
  readonly kept: Kept;
}

export interface WatchedClaims {
  /** Each export by its name, which stays the same for as long as it is watched. */
  readonly look: () => Promise<ReadonlyMap<string, Sight>>;
  /** Default: what a status takes to notice (3 s), and a page to ask for it (5 s). */
  readonly graceMs?: number;
}

/** `most`: how many entries the words admit to be missing; null: any number, as long as some arrive while it is said. */
const claims: ReadonlyArray<{
  readonly pattern: RegExp;
  readonly most: (found: RegExpExecArray) => number | null;
}> = [
  { pattern: /Every entry is delivered/, most: () => 0 },
  { pattern: /All but (\d+) entr(?:y|ies) are delivered/, most: ([, n]) => Number(n) },
  { pattern: /\b(?:Delivering|Catching up)\b/, most: () => null },
];

const pollMs = 100;
/** A look takes from what is looked at: it has a fifth of the time at most, where that means no longer rest than this. */
const longestRestMs = 1_000;

interface Known {
  /** Committed and not at the receiver, with the time of the first look that found it. */
  readonly missing: Map<string, number>;
  /** Since when each pattern has matched. */
  readonly saidSince: Map<RegExp, number>;
  keptCount: number;
  keptAt: number;
}

export class ClaimWatcher {
  readonly #watched: WatchedClaims;
  readonly #known = new Map<string, Known>();
  readonly #lies = new Map<string, string>();
  #checks = 0;
  #lastError: unknown = null;
  #isStopping = false;
  readonly #done: Promise<void>;

  constructor(watched: WatchedClaims) {
    this.#watched = watched;
    this.#done = this.#run();
  }

  /** A sentence for each kind, with the words as they were read. */
  get lies(): string[] {
    return [...this.#lies.values()];
  }

  /** How often words were held against the receiver: a watcher that saw nothing proves nothing. */
  get checks(): number {
    return this.#checks;
  }

  /** Why the latest look that failed did so; null: none has. */
  get lastError(): unknown {
    return this.#lastError;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    for (;;) {
      // What is said at the end of a test counts as well.
      const isLast = this.#isStopping;
      const now = performance.now();
      try {
        for (const [name, sight] of await this.#watched.look()) this.#check(name, sight, now);
      } catch (error) {
        // What is read may be going away at this moment: a page that navigates, a file that is replaced, a server that stops.
        this.#lastError = error;
      }
      if (isLast) return;
      await delay(Math.max(pollMs, Math.min(longestRestMs, 4 * (performance.now() - now))));
    }
  }

  #check(name: string, { words, committed, kept }: Sight, now: number): void {
    const { graceMs = 10_000 } = this.#watched;
    const known = this.#known.get(name) ?? {
      missing: new Map(),
      saidSince: new Map(),
      keptCount: 0,
      keptAt: now,
    };
    this.#known.set(name, known);
    for (const uid of committed) if (!known.missing.has(uid)) known.missing.set(uid, now);
    for (const uid of known.missing.keys()) if (kept.has(uid)) known.missing.delete(uid);
    if (words === undefined) return;
    if (kept.count > known.keptCount) known.keptAt = now;
    known.keptCount = kept.count;
    this.#checks += 1;
    const overdue = [...known.missing.values()].filter((at) => now - at > graceMs).length;
    for (const { pattern, most } of claims) {
      const found = pattern.exec(words);
      if (found === null) {
        known.saidSince.delete(pattern);
        continue;
      }
      const saidSince = known.saidSince.get(pattern) ?? now;
      known.saidSince.set(pattern, saidSince);
      const isStill = now - Math.max(known.keptAt, saidSince) > graceMs;
      const mayMiss = most(found) ?? (isStill ? 0 : Number.POSITIVE_INFINITY);
      const claim = `${name}: "${found[0]}"`;
      if (kept.count === 0) this.#lie(claim, 'the receiver has never kept an entry', words);
      else if (overdue > mayMiss) this.#lie(claim, `${overdue} entries are missing`, words);
    }
  }

  #lie(claim: string, truth: string, words: string): void {
    const key = `${claim}, but ${truth.replaceAll(/\d+/g, 'N')}`;
    if (!this.#lies.has(key))
      this.#lies.set(key, `${claim}, but ${truth}: ${words.replaceAll(/\s+/g, ' ').trim()}`);
  }
}

/** Watches until the test ends, and fails it for a lie. Call it after what it reads was started. */
export function watchClaims(watched: WatchedClaims): ClaimWatcher {
  const watcher = new ClaimWatcher(watched);
  onTestFinished(async () => {
    await watcher.stop();
    expect(watcher.lies).toEqual([]);
    expect(watcher.checks, `words held against the receiver (${watcher.lastError})`).toBeGreaterThan(0);
  });
  return watcher;
}

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

/** An export as it is at one moment. */
export interface Sight {
  /** What a person reads now; undefined: nothing yet. */
  readonly words: string | undefined;
  /** Uids of the committed entries that the receiver is to have. Read before the words. */
  readonly committed: readonly string[];
  /** Uids that the receiver has kept. Asked after the words were read. */
  readonly stored: () => readonly string[];
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

interface Known {
  readonly seenAt: Map<string, number>;
  /** Since when each pattern has matched. */
  readonly saidSince: Map<RegExp, number>;
  storedCount: number;
  storedAt: number;
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
      try {
        const now = performance.now();
        for (const [name, sight] of await this.#watched.look()) this.#check(name, sight, now);
      } catch (error) {
        // What is read may be going away at this moment: a page that navigates, a file that is replaced, a server that stops.
        this.#lastError = error;
      }
      if (isLast) return;
      await delay(pollMs);
    }
  }

  #check(name: string, { words, committed, stored: readStored }: Sight, now: number): void {
    const { graceMs = 10_000 } = this.#watched;
    const known = this.#known.get(name) ?? {
      seenAt: new Map(),
      saidSince: new Map(),
      storedCount: 0,
      storedAt: now,
    };
    this.#known.set(name, known);
    for (const uid of committed) if (!known.seenAt.has(uid)) known.seenAt.set(uid, now);
    if (words === undefined) return;
    const stored = new Set(readStored());
    if (stored.size > known.storedCount) known.storedAt = now;
    known.storedCount = stored.size;
    this.#checks += 1;
    const overdue = [...known.seenAt].filter(([uid, at]) => now - at > graceMs && !stored.has(uid)).length;
    for (const { pattern, most } of claims) {
      const found = pattern.exec(words);
      if (found === null) {
        known.saidSince.delete(pattern);
        continue;
      }
      const saidSince = known.saidSince.get(pattern) ?? now;
      known.saidSince.set(pattern, saidSince);
      const isStill = now - Math.max(known.storedAt, saidSince) > graceMs;
      const mayMiss = most(found) ?? (isStill ? 0 : Number.POSITIVE_INFINITY);
      const claim = `${name}: "${found[0]}"`;
      if (stored.size === 0) this.#lie(claim, 'the receiver has never kept an entry', words);
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

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
import type { ReceiverLedger } from './receiverLedger.ts';

export interface WatchedClaims {
  /** What a person reads now; undefined: nothing yet. */
  readonly read: () => Promise<string | undefined>;
  /** Uids of the committed entries that the receiver is to have. */
  readonly readCommitted: () => Promise<readonly string[]>;
  readonly ledger: Pick<ReceiverLedger, 'storedUids'>;
  /** Default: what a status takes to notice (3 s), and a page to ask for it (5 s). */
  readonly graceMs?: number;
}

const claims = [
  { pattern: /Every entry is delivered/, isOfAll: true },
  { pattern: /\bDelivering\b/, isOfAll: false },
] as const;

const pollMs = 100;

export class ClaimWatcher {
  readonly #watched: WatchedClaims;
  readonly #seenAt = new Map<string, number>();
  readonly #lies = new Map<string, string>();
  #storedCount = 0;
  #storedAt = performance.now();
  #checks = 0;
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

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      // What is read may be going away at this moment: a page that navigates, a file that is replaced.
      await this.#check().catch(() => {});
      await delay(pollMs);
    }
  }

  async #check(): Promise<void> {
    const { read, readCommitted, ledger, graceMs = 10_000 } = this.#watched;
    const now = performance.now();
    for (const uid of await readCommitted()) if (!this.#seenAt.has(uid)) this.#seenAt.set(uid, now);
    const words = await read();
    if (words === undefined) return;
    const stored = new Set(ledger.storedUids());
    if (stored.size > this.#storedCount) this.#storedAt = now;
    this.#storedCount = stored.size;
    this.#checks += 1;
    const overdue = [...this.#seenAt].filter(([uid, at]) => now - at > graceMs && !stored.has(uid)).length;
    const isStill = now - this.#storedAt > graceMs;
    for (const { pattern, isOfAll } of claims) {
      const [claim] = pattern.exec(words) ?? [];
      if (claim === undefined) continue;
      if (stored.size === 0) this.#lie(claim, 'the receiver has never kept an entry', words);
      else if (overdue > 0 && (isOfAll || isStill)) this.#lie(claim, `${overdue} entries are missing`, words);
    }
  }

  #lie(claim: string, truth: string, words: string): void {
    const key = `"${claim}", but ${truth.replaceAll(/\d+/g, 'N')}`;
    if (!this.#lies.has(key))
      this.#lies.set(key, `"${claim}", but ${truth}: ${words.replaceAll(/\s+/g, ' ').trim()}`);
  }
}

/** Watches until the test ends, and fails it for a lie. Call it after what it reads was started. */
export function watchClaims(watched: WatchedClaims): ClaimWatcher {
  const watcher = new ClaimWatcher(watched);
  onTestFinished(async () => {
    await watcher.stop();
    expect(watcher.lies).toEqual([]);
    expect(watcher.checks, 'how often words were held against the receiver').toBeGreaterThan(0);
  });
  return watcher;
}

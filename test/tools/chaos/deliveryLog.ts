/**
 * What came at one receiver, over failovers too: a repeat is identical, and a sequence number is one entry's, except for
 * what a failover took back.
 */
import { createHash } from 'node:crypto';
import type { RecordSlice } from '../../../tools/otlp/recordSlices.ts';

interface Version {
  readonly value: string;
  readonly firstAt: number;
}

/** Both by `performance.now()`. */
export interface Failover {
  readonly begunAt: number;
  readonly endedAt: number;
}

/** What a collector had in memory when the database changed under it may still come for so long. */
const inMemoryMs = 10_000;

export class DeliveryLog {
  /** One sentence for each repeat that differs though nothing explains it. */
  readonly faults: string[] = [];
  lastStoredAt = performance.now();
  readonly #failovers: readonly Failover[];
  readonly #stored = new Map<string, number>();
  readonly #records = new Map<string, Version>();
  readonly #sequences = new Map<string, Version>();
  readonly #keptSequences = new Map<string, Set<number>>();

  constructor(failovers: readonly Failover[]) {
    this.#failovers = failovers;
  }

  add(records: readonly RecordSlice[], isStored: boolean): void {
    for (const { uid, streamId, sequence, bytes } of records) {
      const hash = createHash('sha256').update(bytes).digest('base64').slice(0, 12);
      this.#see(this.#records, `${streamId} ${uid}`, `sequence ${sequence}, bytes ${hash}`);
      this.#see(this.#sequences, `${streamId} sequence ${sequence}`, uid);
      if (!isStored) continue;
      this.lastStoredAt = performance.now();
      if (!this.#stored.has(uid)) this.#stored.set(uid, performance.now());
      const kept = this.#keptSequences.get(streamId) ?? new Set();
      this.#keptSequences.set(streamId, kept.add(sequence));
    }
  }

  has(uid: string): boolean {
    return this.#stored.has(uid);
  }

  get storedCount(): number {
    return this.#stored.size;
  }

  /** Stored here, not among `uids`, and not explained by a failover that lost them. */
  unexplained(uids: ReadonlySet<string>): string[] {
    const lastEnd = Math.max(0, ...this.#failovers.map((failover) => failover.endedAt));
    return [...this.#stored].flatMap(([uid, at]) =>
      uids.has(uid) || at < lastEnd + inMemoryMs ? [] : [uid],
    );
  }

  /** Sequence numbers that were never kept, up to each stream's highest. */
  gaps(): string[] {
    return [...this.#keptSequences].flatMap(([streamId, kept]) => {
      const gaps: string[] = [];
      const highest = [...kept].reduce((most, n) => Math.max(most, n), 0);
      for (let n = 1; n <= highest; n++) if (!kept.has(n)) gaps.push(`${streamId} sequence ${n}`);
      return gaps;
    });
  }

  #see(seen: Map<string, Version>, what: string, value: string): void {
    const before = seen.get(what);
    const now = performance.now();
    if (before?.value === value) return;
    seen.set(what, { value, firstAt: now });
    if (before === undefined) return;
    const isExplained = this.#failovers.some(
      ({ begunAt, endedAt }) => before.firstAt < endedAt + inMemoryMs && now > begunAt,
    );
    if (!isExplained) this.faults.push(`${what}: first ${before.value}, then ${value}`);
  }
}

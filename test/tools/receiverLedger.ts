import { createHash } from 'node:crypto';
import type { RecordSlice } from '../../tools/otlp/recordSlices.ts';
import type { Kept } from './claimWatcher.ts';

export interface Sighting {
  /** 48 bits of the record's hash. */
  readonly hash: number;
  readonly sequence: number;
  /** How often it came, and in how many of them the receiver kept it. */
  received: number;
  stored: number;
}

/** Keeps score of what a receiver got, in a few numbers a record: by stream, then by `log.record.uid`. */
export class ReceiverLedger {
  /** One sentence for each record that came again with other bytes, or has no uid. */
  readonly differences: string[] = [];
  /** Different records the receiver kept. */
  storedCount = 0;
  /** Different records that came. */
  size = 0;
  readonly #streams = new Map<string, Map<string, Sighting>>();
  readonly #storedCounts = new Map<string, number>();

  add(records: readonly RecordSlice[], isStored: boolean): void {
    for (const record of records) this.#addOne(record, isStored);
  }

  /** By uid. Without `streamId`: of the only stream there is. */
  sightings(streamId?: string): ReadonlyMap<string, Sighting> {
    if (streamId !== undefined) return this.#streams.get(streamId) ?? new Map();
    if (this.#streams.size > 1)
      throw new Error(`Name one of the streams ${[...this.#streams.keys()].join(', ')}.`);
    return [...this.#streams.values()][0] ?? new Map();
  }

  /** Uids of the records the receiver kept at least once. */
  storedUids(streamId?: string): string[] {
    return [...this.sightings(streamId)].filter(([, sighting]) => sighting.stored > 0).map(([uid]) => uid);
  }

  /** The same, as it is whenever it is asked. */
  kept(streamId?: string): Kept {
    const ledger = this;
    return {
      get count() {
        return streamId === undefined ? ledger.storedCount : (ledger.#storedCounts.get(streamId) ?? 0);
      },
      has: (uid) => (ledger.sightings(streamId).get(uid)?.stored ?? 0) > 0,
    };
  }

  /** Sequence numbers up to the stream's highest that the receiver never kept: each is a lost (or parked) entry. */
  missingSequences(streamId?: string): number[] {
    const kept = new Set<number>();
    let highest = 0;
    for (const { sequence, stored } of this.sightings(streamId).values()) {
      highest = Math.max(highest, sequence);
      if (stored > 0) kept.add(sequence);
    }
    return Array.from({ length: highest }, (_, index) => index + 1).filter((sequence) => !kept.has(sequence));
  }

  #addOne({ uid, streamId, sequence, bytes }: RecordSlice, isStored: boolean): void {
    if (uid === '') this.differences.push(`A record with sequence number ${sequence} has no log.record.uid.`);
    let stream = this.#streams.get(streamId);
    if (stream === undefined) {
      stream = new Map();
      this.#streams.set(streamId, stream);
    }
    const hash = createHash('sha256').update(bytes).digest().readUIntBE(0, 6);
    let sighting = stream.get(uid);
    if (sighting === undefined) {
      sighting = { hash, sequence, received: 0, stored: 0 };
      stream.set(uid, sighting);
      this.size += 1;
    } else if (sighting.hash !== hash) {
      this.differences.push(
        `Record ${uid} came again with other bytes (sequence ${sighting.sequence}, then ${sequence}).`,
      );
    }
    sighting.received += 1;
    if (!isStored) return;
    if (sighting.stored === 0) {
      this.storedCount += 1;
      this.#storedCounts.set(streamId, (this.#storedCounts.get(streamId) ?? 0) + 1);
    }
    sighting.stored += 1;
  }
}

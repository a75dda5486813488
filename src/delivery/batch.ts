/**
 * Cuts entries into batches while they stream in from Postgres; each entry is encoded at once and its row forgotten.
 *
 *   row → window → page → BATCH → bytes → answer → outcome → settle → status
 */
import type { Entry, StreamIdentity } from '../model/entry.ts';
import type { Position } from '../model/stream.ts';
import { RequestWriter } from '../otlp/encode/request.ts';
import type { BufferPool } from './bufferPool.ts';

export interface Batch {
  /** The records; null when there is nothing to send: entries that the filter leaves out, or that the receiver already has. */
  readonly writer: RequestWriter | null;
  readonly records: number;
  /** Records that the receiver has taken before; not in `writer`. */
  readonly accepted: number;
  /** Sequence number of the first record, or of the one that would come next. */
  readonly firstSequence: number;
  /** Sequence number of the last record, or of the one before the batch. */
  readonly lastSequence: number;
  readonly first: Position;
  /** Id of the last record's entry. */
  readonly lastRecordId: bigint;
  /** The last record's `occurred_at`. */
  readonly lastOccurredAtMicros: number;
  /** The position moves here when the batch is settled. */
  readonly last: Position;
  /** Memory it takes. */
  readonly bytes: number;
  /** Why its one entry cannot be sent and is parked instead; null for all other batches. */
  readonly parked: SetAside | null;
}

/** Why an entry is not sent. */
export interface SetAside {
  readonly reason: 'EntryUnreadable' | 'EntryTooLarge';
  readonly message: string;
}

export interface BatchLimits {
  /** 1..1000. */
  readonly records: number;
  /** Most bytes of a request, uncompressed; a record that is larger goes alone. */
  readonly bytes: number;
}

export interface CutterOptions {
  readonly identity: StreamIdentity;
  readonly limits: BatchLimits;
  /** Memory of earlier batches; null: these will be small, and many others with them, so each takes what it needs. */
  readonly buffers: BufferPool | null;
  readonly observedAtMicros: number;
  readonly nextSequence: number;
  /** True for records that the receiver has taken, though the position is still before them. */
  readonly isAccepted: (sequence: number, at: Position) => boolean;
}

const bytesPerRecord = 2_048;

type EntryHead = Pick<Entry, 'xid' | 'id' | 'occurredAtMicros'>;

type Growing = { -readonly [K in keyof Batch]: Batch[K] };

export class BatchCutter {
  readonly batches: Batch[] = [];
  /** Memory that all batches so far take. */
  bytes = 0;
  nextSequence: number;
  readonly #options: CutterOptions;
  #current: Growing | null = null;

  constructor(options: CutterOptions) {
    this.#options = options;
    this.nextSequence = options.nextSequence;
  }

  /** Adds an entry that goes to the receiver. */
  addRecord(entry: Entry): void {
    const sequence = this.nextSequence++;
    if (this.#options.isAccepted(sequence, entry)) {
      this.#extend(entry, sequence, false).accepted++;
      return;
    }
    const batch = this.#extend(entry, sequence, true);
    batch.writer?.append(entry, { sequence, observedAtMicros: this.#options.observedAtMicros });
    const size = batch.writer?.byteLength ?? 0;
    this.bytes += size - batch.bytes;
    batch.bytes = size;
    batch.lastRecordId = entry.id;
    batch.lastOccurredAtMicros = entry.occurredAtMicros;
    const { limits } = this.#options;
    // The next record is about as large as the average one: stop before it would go over.
    if (batch.records >= limits.records || size + size / batch.records > limits.bytes) this.#current = null;
  }

  /** Adds an entry that the filter leaves out: the position moves over it with the batch before. */
  addSkipped(entry: Position): void {
    const batch = this.#current ?? (this.batches.at(-1) as Growing | undefined);
    if (batch) batch.last = { xid: entry.xid, id: entry.id };
    else this.#start({ ...entry, occurredAtMicros: 0 }, this.nextSequence, false);
  }

  /** Adds an entry that cannot be sent; it keeps its sequence number. */
  addParked(entry: Position, parked: SetAside): void {
    const sequence = this.nextSequence++;
    const head = { ...entry, occurredAtMicros: 0 };
    if (this.#options.isAccepted(sequence, entry)) {
      this.#extend(head, sequence, false).accepted++;
      return;
    }
    const batch = this.#start(head, sequence, false);
    batch.lastSequence = sequence;
    batch.parked = parked;
    this.#current = null;
  }

  #extend(entry: EntryHead, sequence: number, send: boolean): Growing {
    let batch = this.#current;
    if (!batch || (batch.writer !== null) !== send) batch = this.#start(entry, sequence, send);
    if (send) batch.records++;
    batch.lastSequence = sequence;
    batch.last = { xid: entry.xid, id: entry.id };
    return batch;
  }

  #start(entry: EntryHead, sequence: number, send: boolean): Growing {
    const { identity, limits, buffers } = this.#options;
    // Room for small batches; the buffer grows with large ones.
    const initialBytes = Math.min(limits.bytes, bytesPerRecord * Math.min(limits.records, buffers ? 64 : 2));
    const batch: Growing = {
      writer: send ? new RequestWriter(identity, initialBytes, buffers?.take()) : null,
      records: 0,
      accepted: 0,
      firstSequence: sequence,
      lastSequence: sequence - 1,
      first: { xid: entry.xid, id: entry.id },
      lastRecordId: entry.id,
      lastOccurredAtMicros: entry.occurredAtMicros,
      last: { xid: entry.xid, id: entry.id },
      bytes: 0,
      parked: null,
    };
    this.batches.push(batch);
    this.#current = batch;
    return batch;
  }
}

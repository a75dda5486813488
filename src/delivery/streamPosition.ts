/**
 * How far one stream has come: its row, kept in step with every write, and what the receiver has taken ahead of it.
 *
 * Owns the row: every write to it between claim and release (database/leases.ts) is made here, and each names the token, so that
 * a replica that has lost the lease moves nothing. Moves of the position also fire a trigger; see database/window.ts.
 */
import { moveCluster } from '../database/clusters.ts';
import { moveOutage, type OutageMove, tellParked } from '../database/outages.ts';
import { parkAgain, unpark } from '../database/parked.ts';
import type { Database } from '../database/pool.ts';
import { pinReplay } from '../database/replays.ts';
import { loadStream, saveLastError } from '../database/streams.ts';
import { finishWindow, pinWindow, type Settlement, settle } from '../database/window.ts';
import type { EntryFilter } from '../model/exportConfig.ts';
import type { Replay } from '../model/replay.ts';
import type { Position, Refusal, StreamRow, Window } from '../model/stream.ts';
import type { LastError } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AcceptedAhead } from './acceptedAhead.ts';
import type { Batch } from './batch.ts';

export class StreamPosition {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #ahead = new AcceptedAhead();
  #row: StreamRow;
  /** Sequence number at which the window began, as far as this process knows. */
  #windowStart: number;
  /** A statement about it failed, so it is read again first. */
  #isOutageDoubted = false;
  #errorWrites: Promise<unknown> = Promise.resolve();

  constructor(db: Database, row: StreamRow, log: Logger) {
    this.#db = db;
    this.#row = row;
    this.#windowStart = row.sequence;
    this.#log = log;
  }

  get row(): StreamRow {
    return this.#row;
  }

  /** Whether the receiver has taken this record, though the position is still before it. */
  isAccepted(sequence: number, at: Position): boolean {
    return this.#ahead.has(sequence, at);
  }

  /** Remembers that the receiver has taken `batch`, which is not settled yet. */
  acceptAhead({ firstSequence, lastSequence, first, last }: Batch): void {
    this.#ahead.add({ first: firstSequence, last: lastSequence, from: first, to: last });
  }

  /** Pins the next window. 'stale': `reload` the row; 'moved': there is another cluster to read, see `moveCluster`. */
  async pin(filter: EntryFilter): Promise<'pinned' | 'nothing-new' | 'moved' | 'stale' | 'lease-lost'> {
    const pinned = await pinWindow(this.#db, this.#row, filter);
    if (pinned.kind === 'pinned') this.#begin(pinned.stream);
    return pinned.kind;
  }

  /** Pins the next window of a replay. 'moved': there is another cluster to look at; `total`: how many entries there are, if counted. */
  async pinReplay(
    range: Pick<Replay, 'since' | 'until'>,
    filter: EntryFilter,
  ): Promise<{ kind: 'pinned'; total: number | null } | { kind: 'moved' | 'ended' | 'lease-lost' }> {
    const pinned = await pinReplay(this.#db, this.#row, range, filter);
    if (pinned.kind === 'pinned' || pinned.kind === 'moved') this.#begin(pinned.stream);
    return pinned;
  }

  #begin(row: StreamRow): void {
    this.#ahead.forget();
    this.#row = row;
    this.#windowStart = row.sequence;
  }

  /** One step of the way to the present cluster: `reload` the row afterwards. False: the lease is lost. */
  moveCluster(filter: EntryFilter): Promise<boolean> {
    return moveCluster(this.#db, this.#row, filter);
  }

  /**
   * Moves over the settled batches up to and including `last`; `parked`: why the one entry of `last` is parked; `finishes`: nothing of
   * the window comes after it. False: the lease is
   * lost, or the row is not where it was thought to be.
   */
  async settle(
    window: Window,
    last: Batch,
    { delivered, rejected, lastRecord }: Pick<Settlement, 'delivered' | 'rejected' | 'lastRecord'>,
    parked: Refusal | null,
    finishes: boolean,
  ): Promise<boolean> {
    const moved = await settle(this.#db, this.#row, {
      window,
      from: this.#row.position,
      to: last.last,
      sequence: last.lastSequence,
      delivered,
      rejected,
      lastRecord,
      parked: parked && { entryId: last.first.id.toString(), refusal: parked },
      finishes,
    });
    if (!moved) return false;
    const place = finishes
      ? { position: null, window: null, settled: window.snapshot }
      : { position: last.last };
    const to = { ...place, sequence: last.lastSequence };
    this.#keep(
      { ...to, lastDeliveryAt: moved.lastDeliveryAt, ...(lastRecord && { lastRecord }) },
      delivered,
      rejected,
    );
    this.#ahead.settledUpTo(last.lastSequence);
    return true;
  }

  /** Ends a window of which everything is settled, unless that has ended it. Returns how many records it had; null: the lease is lost. */
  async finish(): Promise<number | null> {
    const { window, position } = this.#row;
    if (window) {
      const row = await finishWindow(this.#db, this.#row, window, position);
      if (!row) return null;
      this.#row = row;
    }
    return this.#row.sequence - this.#windowStart;
  }

  /** The receiver took a parked record after all. False: the lease is lost. */
  async unpark(sequence: number): Promise<boolean> {
    if (!(await unpark(this.#db, this.#row, [sequence]))) return false;
    this.#keep({ lastDeliveryAt: new Date().toISOString() }, 1, 0);
    return true;
  }

  /** A parked record did not get through again. False: the lease is lost. */
  parkAgain(sequence: number, refusal: Refusal): Promise<boolean> {
    return parkAgain(this.#db, this.#row, sequence, refusal);
  }

  /**
   * Reads the row again. 'elsewhere': it is not where it was thought to be, as after a failover that lost commits, so nothing that was
   * counted from the old place holds.
   */
  async reload(): Promise<'same' | 'elsewhere' | 'lease-lost'> {
    const row = await loadStream(this.#db, this.#row.id, this.#row.token);
    if (!row) return 'lease-lost';
    const isSame = isSamePlace(row, this.#row);
    if (!isSame) this.#ahead.forget();
    this.#row = row;
    return isSame ? 'same' : 'elsewhere';
  }

  /** Keeps the latest failure with the stream, so that it outlives the process. Best effort: the next one is kept again. */
  keepLastError(lastError: LastError): void {
    // One after the other, so that the latest is what stays.
    this.#errorWrites = this.#errorWrites
      .then(() => saveLastError(this.#db, this.#row, lastError))
      .catch((error: unknown) => this.#log.debug({ err: error }, 'could not keep the last error'));
  }

  /** Keeps since when nothing gets through, with what is told about it. False: it is not as it was thought to be; ask again. */
  async moveOutage(move: Omit<OutageMove, 'from'>): Promise<boolean> {
    if (this.#isOutageDoubted) {
      const row = await loadStream(this.#db, this.#row.id, this.#row.token);
      if (row) this.#row = { ...this.#row, outage: row.outage };
      this.#isOutageDoubted = false;
      return false;
    }
    this.#isOutageDoubted = true;
    if (!(await moveOutage(this.#db, this.#row, { ...move, from: this.#row.outage }))) return false;
    this.#isOutageDoubted = false;
    this.#row = { ...this.#row, outage: move.to };
    return true;
  }

  /** Tells the first parked entry of the day. */
  tellParked(destination: string): Promise<void> {
    return tellParked(this.#db, this.#row, destination);
  }

  /** Resolves when every write that was begun has ended. */
  async written(): Promise<void> {
    await this.#errorWrites;
  }

  /** Keeps in memory what a statement has written. */
  #keep(written: Partial<StreamRow>, delivered: number, rejected: number): void {
    const row = this.#row;
    const counted = { delivered: row.delivered + delivered, rejected: row.rejected + rejected };
    this.#row = { ...row, ...written, ...counted };
  }
}

/** Whether what is remembered of one row holds for the other: nobody has moved it, and no failover has set it back. */
function isSamePlace(a: StreamRow, b: StreamRow): boolean {
  return (
    a.settled === b.settled &&
    a.cluster === b.cluster &&
    a.sequence === b.sequence &&
    a.window?.snapshot === b.window?.snapshot &&
    a.window?.pinnedAtMicros === b.window?.pinnedAtMicros &&
    a.position?.xid === b.position?.xid &&
    a.position?.id === b.position?.id
  );
}

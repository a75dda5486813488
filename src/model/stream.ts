/**
 * A stream as its row says: how far one config's entries are delivered.
 *
 *   settled ──► window (pinned) ──► position inside it
 */
import type { EntryFilter } from './exportConfig.ts';
import type { Outage } from './outage.ts';
import type { FailureReason } from './reasons.ts';
import type { LastError } from './streamStatus.ts';

/** The place of an entry in the order of its window. */
export interface Position {
  readonly xid: bigint;
  readonly id: bigint;
}

/** Entries visible in `snapshot` and not in the stream's `settled`; the unit of exactness. */
export interface Window {
  /** Text of a pg_snapshot, as Postgres printed it. */
  readonly snapshot: string;
  readonly pinnedAtMicros: number;
  readonly filter: WindowFilter;
}

/** The filter as it was when the window was pinned; a changed one begins with the next window. */
export interface WindowFilter extends EntryFilter {
  /** Entries that occurred before it stay out; RFC 3339. Only in the first window of a stream that starts from a time. */
  readonly since?: string;
  /** Only entries that occurred before it; RFC 3339. Only in a window of a replay. */
  readonly until?: string;
  /**
   * Types of entries that pass whatever the filter says (`ownEventTypes`): nobody can hide from the receiver that they narrowed it.
   * Absent, or true (`formerOwnEventTypes`), in a window that an older collector pinned: a repeat is sent as it was.
   */
  readonly passesOwn?: true | readonly string[];
}

export interface StreamRow {
  readonly id: string;
  /** Somebody has asked for a replay of a range of it. Only in a row that has just been claimed. */
  readonly hasReplays?: boolean;
  /** How many of its entries are parked. Only in a row that has just been claimed. */
  readonly parked?: number;
  readonly configKey: string;
  readonly organization: string;
  /** System identifier of the database cluster that the transaction ids in `settled`, `window` and `position` come from. */
  readonly cluster: string;
  readonly settled: string;
  /** null: nothing is being delivered. */
  readonly window: Window | null;
  /** null: at the start of the window. */
  readonly position: Position | null;
  /** The number of the last settled entry. */
  readonly sequence: number;
  readonly token: string;
  readonly delivered: number;
  readonly rejected: number;
  /** RFC 3339; null before the first. */
  readonly lastDeliveryAt: string | null;
  readonly lastError: LastError | null;
  /** null: entries get through, as far as was known when it was written. */
  readonly outage: Outage | null;
  /** The last record that the receiver took; null: none yet, or none since this is kept. */
  readonly lastRecord: LastRecord | null;
}

/** What it takes to send a record again, byte for byte, and where it went. */
export interface LastRecord {
  /** Decimal. */
  readonly entryId: string;
  readonly sequence: number;
  readonly observedAtMicros: number;
  /** Origin and path of the endpoint. */
  readonly place: string;
}

/** Why an entry is parked. */
export interface Refusal {
  readonly reason: FailureReason;
  readonly message: string;
  /** Absent when no answer came. */
  readonly httpStatus?: number;
}

/**
 * A stream as its row says: how far one config's entries are delivered.
 *
 *   settled ──► window (pinned) ──► position inside it
 */
import type { EntryFilter } from './exportConfig.ts';
import type { LastError } from './streamStatus.ts';

/** Where an entry stands in the order of its window. */
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

/** What held when the window was pinned; a changed filter begins with the next one. */
export interface WindowFilter extends EntryFilter {
  /** Entries that occurred before it stay out; RFC 3339. Only in the first window of a stream that starts from a time. */
  readonly since?: string;
  /**
   * What the collector and its page write of themselves passes whatever the filter says: who narrows a filter cannot hide that
   * from the receiver. Absent in a window that an older collector pinned: it is sent again as it was.
   */
  readonly passesOwn?: boolean;
}

export interface StreamRow {
  readonly id: string;
  readonly configKey: string;
  readonly organization: string;
  /** System identifier of the cluster whose transaction ids `settled`, `window` and `position` speak of. */
  readonly cluster: string;
  readonly settled: string;
  /** null: nothing under delivery. */
  readonly window: Window | null;
  /** null: at the start of the window. */
  readonly position: Position | null;
  /** Of the last settled entry. */
  readonly sequence: number;
  readonly token: string;
  readonly delivered: number;
  readonly rejected: number;
  /** RFC 3339; null before the first. */
  readonly lastDeliveryAt: string | null;
  readonly lastError: LastError | null;
}

/** One entry that a receiver refused, as it is kept. */
export interface ParkedEntry {
  readonly sequence: number;
  readonly entryId: string;
  readonly observedAtMicros: number;
  readonly reason: string;
  readonly httpStatus: number | null;
  readonly message: string;
}

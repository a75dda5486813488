/** How a stream is doing in the process that sends it: with its row, everything that a status is made of. */
import type { StreamReason } from './reasons.ts';
import type { LastError, ReplayStatus } from './streamStatus.ts';

export interface StreamHealth {
  readonly activity: StreamActivity;
  /** The failure that stands; null while entries get through. */
  readonly failure: StreamFailure | null;
  /** The failure is of settings, or of a try, that are over: an answer to the present ones is awaited. Absent: it is not. */
  readonly isTryingAgain?: boolean;
  /** The latest failure, whether it stands or is over; null when there never was one. */
  readonly lastError: LastError | null;
  readonly delivered: number;
  readonly rejected: number;
  readonly parked: number;
  /** Something has waited for seconds, or nothing is known yet: nobody may say "every entry is delivered". */
  readonly isBehind: boolean;
  /** Entries not delivered yet; null while that is not known. */
  readonly pending: number | null;
  /** RFC 3339; null when nothing is pending. */
  readonly oldestPendingAt: string | null;
  /** Entries a second, over the last seconds of a delivery; 0 when idle. */
  readonly ratePerSecond: number;
  /** RFC 3339; null before the first. */
  readonly lastDeliveryAt: string | null;
  /** How far the latest replay of a range is. Absent or null: there was none within 30 days, or it is not known here. */
  readonly replay?: ReplayStatus | null;
}

export type StreamActivity =
  | 'starting' // not looked at yet
  | 'idle' // everything is delivered
  | 'delivering'
  | 'retrying' // waits for a failure that will pass
  | 'holding' // waits for a person
  | 'suspended' // spec.suspend
  | 'database-unavailable' // nothing is known of new entries
  | 'waiting-for-database' // as before, at the start: its counters are not known either
  | 'unclaimed'; // no replica sends it; its counters are not known here

export interface StreamFailure {
  readonly reason: StreamReason;
  readonly message: string;
  readonly httpStatus?: number;
  /** Milliseconds since the Unix epoch: since when it stands. */
  readonly since: number;
}

/** What this process can say of a stream whose row it has not read; the counters are not shown then (status/conditions.ts). */
export const nothingKnown = {
  lastError: null,
  delivered: 0,
  rejected: 0,
  parked: 0,
  isBehind: true,
  pending: null,
  oldestPendingAt: null,
  ratePerSecond: 0,
  lastDeliveryAt: null,
} as const satisfies Omit<StreamHealth, 'activity' | 'failure'>;

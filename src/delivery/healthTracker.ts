/** Keeps what a person may know of a stream, and says it once per change: in the log and to whoever writes the status. */
import type { Backlog } from '../database/backlog.ts';
import { adviceFor, type FailureReason } from '../model/reasons.ts';
import type { StreamRow } from '../model/stream.ts';
import type { StreamActivity, StreamFailure, StreamHealth } from '../model/streamHealth.ts';
import type { LastError } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import { DeliveryRate } from './rate.ts';

export interface HealthListener {
  /** The activity or the failure changed; not called for counters. */
  onChange(): void;
  /** To be kept with the stream, so that it outlives the process. */
  onLastError(lastError: LastError): void;
}

/** A burst that is delivered within this time changes no status. */
const behindAfterMs = 3_000;

export class HealthTracker {
  #activity: StreamActivity = 'starting';
  #failure: StreamFailure | null = null;
  #delivered: number;
  #rejected: number;
  #parked = 0;
  #pending: number | null = null;
  /** Since when there is something to do, as far as is known; null while everything is delivered. */
  #busySince: number | null = performance.now();
  #isBehind = false;
  #hasCaughtUp = false;
  #oldestPendingAt: string | null = null;
  #lastDeliveryAt: string | null;
  readonly #rate = new DeliveryRate();
  readonly #log: Logger;
  readonly #listener: HealthListener;
  #lastError: LastError | null;

  constructor(row: StreamRow, log: Logger, listener: HealthListener) {
    this.#lastError = row.lastError;
    this.#delivered = row.delivered;
    this.#rejected = row.rejected;
    this.#lastDeliveryAt = row.lastDeliveryAt;
    this.#log = log;
    this.#listener = listener;
    const last = row.lastError;
    if (last && last.resolvedTime === undefined) {
      this.#failure = {
        reason: last.reason as FailureReason,
        message: last.message,
        ...(last.httpStatus === undefined ? {} : { httpStatus: last.httpStatus }),
        since: Date.parse(last.time),
      };
    }
  }

  get health(): StreamHealth {
    return {
      activity: this.#activity,
      failure: this.#failure,
      lastError: this.#lastError,
      delivered: this.#delivered,
      rejected: this.#rejected,
      parked: this.#parked,
      isBehind: this.#isBehind || (!this.#hasCaughtUp && this.#activity !== 'starting'),
      pending: this.#pending,
      oldestPendingAt: this.#oldestPendingAt,
      ratePerSecond: this.#activity === 'delivering' ? this.#rate.perSecond(Date.now()) : 0,
      lastDeliveryAt: this.#lastDeliveryAt,
    };
  }

  setActivity(activity: StreamActivity): void {
    if (activity === 'idle') this.#caughtUp();
    if (activity === this.#activity) return;
    if (this.#activity === 'idle') this.#isBusyAgain();
    this.#log.debug({ from: this.#activity, to: activity }, 'stream activity changed');
    this.#activity = activity;
    this.#listener.onChange();
  }

  /** A failure stands from now on, or still does. */
  setFailure(failure: Omit<StreamFailure, 'since'>, activity: StreamActivity): void {
    const stands = this.#failure;
    const isNew =
      stands?.reason !== failure.reason ||
      stands.httpStatus !== failure.httpStatus ||
      stands.message !== failure.message;
    if (isNew) {
      const { reason, message, httpStatus } = failure;
      const known = { reason, message, ...(httpStatus === undefined ? {} : { httpStatus }) };
      this.#failure = { ...known, since: Date.now() };
      this.#setLastError({ time: new Date().toISOString(), ...known });
      this.#log.warn({ reason, httpStatus, advice: adviceFor(reason) }, message);
    } else {
      this.#log.debug({ reason: failure.reason, httpStatus: failure.httpStatus }, failure.message);
    }
    if (this.#activity === 'idle') this.#isBusyAgain();
    const changed = isNew || this.#activity !== activity;
    this.#activity = activity;
    if (changed) this.#listener.onChange();
  }

  /** Entries get through again; nothing happens when they did before. */
  clearFailure(): void {
    const ended = this.#failure;
    if (!ended) return;
    this.#failure = null;
    if (this.#lastError) this.#setLastError({ ...this.#lastError, resolvedTime: new Date().toISOString() });
    this.#log.info({ reason: ended.reason, downMs: Date.now() - ended.since }, 'delivering again');
    this.#listener.onChange();
  }

  /** The database has answered again: what kept from reading and settling is over. */
  clearDatabaseFailure(): void {
    const reason = this.#failure?.reason;
    if (reason === 'DatabaseUnavailable' || reason === 'DatabaseNotPrimary') this.clearFailure();
  }

  /** The row is another one than was thought, such as after a failover that lost commits: its counters hold. */
  reload(row: StreamRow): void {
    this.#delivered = row.delivered;
    this.#rejected = row.rejected;
    this.#lastDeliveryAt = row.lastDeliveryAt;
  }

  /** A poll has seen entries that wait: a stream that was idle is not, even if its next statement waits for a lock. */
  noticeNew(): void {
    if (this.#activity === 'idle') this.#busySince ??= performance.now();
  }

  /** True when it became known, or stopped being true, that something has waited for seconds. To be asked often. */
  noticeDelay(): boolean {
    const isBehind = this.#busySince !== null && performance.now() - this.#busySince >= behindAfterMs;
    if (isBehind === this.#isBehind) return false;
    this.#isBehind = isBehind;
    // What was known of an idle stream holds no longer: it is counted next.
    if (isBehind && this.#activity === 'idle') this.#pending = null;
    return true;
  }

  #caughtUp(): void {
    this.#busySince = null;
    this.#hasCaughtUp = true;
    this.#pending = 0;
    this.#oldestPendingAt = null;
  }

  /** There is something again, and nobody has counted it. */
  #isBusyAgain(): void {
    this.#busySince ??= performance.now();
    this.#pending = null;
  }

  #setLastError(lastError: LastError): void {
    this.#lastError = lastError;
    this.#listener.onLastError(lastError);
  }

  addDelivered(delivered: number, rejected: number, lastDeliveryAt: string | null): void {
    this.#delivered += delivered;
    this.#rejected += rejected;
    this.#rate.add(delivered, Date.now());
    this.#lastDeliveryAt = lastDeliveryAt;
    if (this.#pending === null) return;
    // What was counted is delivered; what came since is not known. That nothing waits is the word of the next look alone.
    const left = this.#pending - delivered - rejected;
    this.#pending = left > 0 ? left : null;
  }

  addParked(count: number): void {
    this.#parked += count;
    this.#listener.onChange();
  }

  /**
   * Null: nobody knows how many wait. The oldest then stays what it was, or is taken to have come when the stream began to have
   * something to do: an age that goes on growing, since one that is not told alerts nobody.
   */
  setBacklog(backlog: Backlog | null): void {
    if (backlog) {
      this.#pending = backlog.pending;
      this.#oldestPendingAt = backlog.oldestOccurredAt;
      this.#parked = backlog.parked;
      return;
    }
    this.#pending = null;
    if (this.#busySince === null) return;
    const busySince = new Date(Date.now() - (performance.now() - this.#busySince));
    this.#oldestPendingAt ??= busySince.toISOString();
  }
}

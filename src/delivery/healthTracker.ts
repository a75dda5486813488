/**
 * Keeps what a person may know about a stream, and says each change once: in the log, in the metrics and to `onChange`.
 *
 *   answer → settle → HEALTH → status
 */
import type { Backlog } from '../database/backlog.ts';
import { adviceFor, type FailureReason } from '../model/reasons.ts';
import { stateOfHealth } from '../model/states.ts';
import type { StreamRow } from '../model/stream.ts';
import type { StreamActivity, StreamFailure, StreamHealth } from '../model/streamHealth.ts';
import type { LastError, ReplayStatus } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StreamMetrics } from '../telemetry/streamMetrics.ts';
import { OutageWatch } from './outageWatch.ts';
import { DeliveryRate } from './rate.ts';
import type { StreamPosition } from './streamPosition.ts';

export interface HealthOptions {
  /** Has the counters, and keeps the last error. */
  readonly position: StreamPosition;
  readonly log: Logger;
  readonly metrics: StreamMetrics;
  /** Why nothing is known at present; null: what is tracked here holds. */
  readonly missingEvidence: () => StreamFailure | null;
  /** Milliseconds since the Unix epoch; default: the clock of the machine. */
  readonly now?: () => number;
  /** The activity or the failure changed; not called for counters. */
  readonly onChange: () => void;
}

/** A burst that is delivered within this time changes no status. */
const behindAfterMs = 3_000;

export class HealthTracker {
  /** Since when nothing gets through. */
  readonly outage: OutageWatch;
  /** How far the latest replay is. */
  replayOf: () => ReplayStatus | null = () => null;
  readonly #options: HealthOptions;
  readonly #rate = new DeliveryRate();
  #activity: StreamActivity = 'starting';
  #failure: StreamFailure | null = null;
  #isTryingAgain = false;
  #lastError: LastError | null;
  #parked = 0;
  #pending: number | null = null;
  #oldestPendingAt: string | null = null;
  /** Since when there is something to do, as far as is known; null while everything is delivered. */
  #busySince: number | null = performance.now();
  #isBehind = false;
  #hasCaughtUp = false;
  #isCounted = false;

  constructor(options: HealthOptions) {
    this.#options = options;
    const { lastError: last, parked } = options.position.row;
    this.#parked = parked ?? 0;
    this.#isCounted = parked !== undefined;
    this.outage = new OutageWatch(findOutageStart(options.position.row), options.now ?? Date.now);
    this.#lastError = last;
    if (last && last.resolvedTime === undefined) {
      const { time, resolvedTime: _, ...failure } = last;
      this.#failure = { ...failure, reason: failure.reason as FailureReason, since: Date.parse(time) };
    }
  }

  /** As it is shown: without evidence of what is in the database, there is nothing else to say. */
  get current(): StreamHealth {
    const { delivered, rejected, lastDeliveryAt } = this.#options.position.row;
    const health = {
      activity: this.#activity,
      failure: this.#failure && { ...this.#failure, since: this.outage.since ?? this.#failure.since },
      isTryingAgain: this.#isTryingAgain,
      lastError: this.#lastError,
      delivered,
      rejected,
      parked: this.#parked,
      isBehind: this.#isBehind || (!this.#hasCaughtUp && this.#activity !== 'starting'),
      pending: this.#pending,
      oldestPendingAt: this.#oldestPendingAt,
      ratePerSecond: this.#activity === 'delivering' ? this.#rate.perSecond(Date.now()) : 0,
      lastDeliveryAt,
      replay: this.replayOf(),
    };
    const failure = this.#missingEvidence();
    if (!failure) return health;
    return { ...health, activity: 'database-unavailable', failure, isBehind: true, pending: null };
  }

  /** Whether `current` has a failure. */
  get isFailing(): boolean {
    return this.#failure !== null || this.#missingEvidence() !== null;
  }

  get parked(): number {
    return this.#parked;
  }

  /** Whether it is known how many are parked: the claim counted them, or the last count came to a number, which still holds. */
  get isCounted(): boolean {
    return this.#isCounted;
  }

  show(): void {
    this.#showMetrics();
    this.#options.onChange();
  }

  setActivity(activity: StreamActivity): void {
    if (activity === 'idle') this.#caughtUp();
    if (activity === 'idle' || activity === 'suspended') this.outage.ended();
    if (activity === this.#activity) return;
    if (this.#activity === 'idle') this.#isBusyAgain();
    this.#options.log.debug({ from: this.#activity, to: activity }, 'stream activity changed');
    this.#activity = activity;
    this.show();
  }

  /** It is not suspended any more. */
  resume(): void {
    if (this.#activity === 'suspended') this.setActivity('starting');
  }

  /** A window is about to be delivered. Until the first entry is taken nothing shows that it will be. */
  beginDelivering(): void {
    if (!this.#failure && this.#activity !== 'starting') this.setActivity('delivering');
  }

  /** The settings have changed, or somebody asked for another try: the next answer is news, even if it is the same. */
  awaitNews(): void {
    if (this.#failure === null) return;
    this.#isTryingAgain = true;
    this.show();
  }

  /** A failure stands from now on, or still does. */
  setFailure(failure: Omit<StreamFailure, 'since'>, activity: StreamActivity): void {
    const { reason, message, httpStatus } = failure;
    if (activity !== 'delivering') this.outage.failed();
    const stands = this.#failure;
    const isSame =
      stands?.reason === reason && stands.httpStatus === httpStatus && stands.message === message;
    const isNew = !isSame || this.#isTryingAgain;
    this.#isTryingAgain = false;
    if (isNew) {
      const known = { reason, message, ...(httpStatus === undefined ? {} : { httpStatus }) };
      this.#failure = { ...known, since: isSame ? stands.since : Date.now() };
      this.#setLastError({ time: new Date().toISOString(), ...known });
    }
    this.#options.log[isNew ? 'warn' : 'debug']({ reason, httpStatus, advice: adviceFor(reason) }, message);
    if (this.#activity === 'idle') this.#isBusyAgain();
    const hasChanged = isNew || this.#activity !== activity;
    this.#activity = activity;
    if (hasChanged) this.show();
  }

  /** A refusal that is still looked into; one that is held against the configuration stays held while it is probed. */
  lookInto(failure: Omit<StreamFailure, 'since'>): void {
    if (this.#activity !== 'holding') this.setFailure(failure, 'retrying');
  }

  /** Entries get through again; nothing happens when they did before. */
  clearFailure(): void {
    const ended = this.#failure;
    if (!ended) return;
    this.#failure = null;
    this.#isTryingAgain = false;
    if (this.#lastError) this.#setLastError({ ...this.#lastError, resolvedTime: new Date().toISOString() });
    this.#options.log.info({ reason: ended.reason, downMs: Date.now() - ended.since }, 'delivering again');
    this.show();
  }

  /** The database has answered again: what kept the stream from reading and settling is over. */
  clearDatabaseFailure(): void {
    const reason = this.#failure?.reason;
    if (reason === 'DatabaseUnavailable' || reason === 'DatabaseNotPrimary') this.clearFailure();
  }

  /** Nothing is left to deliver, so nothing is kept from getting through: only what was rejected still stands. */
  becomeIdle(): void {
    if (this.#failure?.reason !== 'PartialSuccess') this.clearFailure();
    this.setActivity('idle');
  }

  /** An entry cannot be sent and was set aside: that remains the last error, and holds up nothing. */
  noteSetAside(sequence: number, why: Pick<LastError, 'reason' | 'message'>): void {
    this.clearFailure();
    const { reason, message } = why;
    const time = new Date().toISOString();
    // In one write: if the process ended between two, it would stand as a failure after the restart.
    this.#setLastError({ time, reason, message, resolvedTime: time });
    this.#options.log.warn({ sequence, reason }, message);
    this.setActivity('delivering');
    this.show();
  }

  /**
   * A poll has seen entries that wait: a stream that was idle is not, even if its next statement waits for a lock. Call it before the poll
   * counts as evidence: where nothing was known until then, they may have waited for all that time.
   */
  noticeNew(): void {
    if (this.#activity !== 'idle') return;
    const isLate = this.#missingEvidence() !== null;
    this.#busySince ??= performance.now() - (isLate ? behindAfterMs : 0);
    if (isLate) this.noticeDelay();
  }

  /** Looks whether entries have waited for seconds; call it often. */
  noticeDelay(): void {
    const isBehind = this.#busySince !== null && performance.now() - this.#busySince >= behindAfterMs;
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    // What was known about an idle stream holds no longer: it is counted next.
    if (isBehind && this.#activity === 'idle') this.#pending = null;
    this.show();
  }

  /** Records were settled; the counters are the row's. */
  addDelivered(delivered: number, rejected: number): void {
    this.#rate.add(delivered, Date.now());
    if (delivered > 0) this.outage.delivered();
    if (this.#pending === null) return;
    // What was counted is delivered; what came since is not known. Only the next look can say that nothing waits.
    const left = this.#pending - delivered - rejected;
    this.#pending = left > 0 ? left : null;
  }

  addParked(count: number): void {
    // Before the first count nobody knows from how many; one that is under way may have seen it or not.
    this.#parked = Math.max(0, this.#parked + count);
    this.#isCounted = false;
    if (count > 0) this.outage.parked();
    this.show();
  }

  /** A count begins, which ends with `setBacklog`. */
  beginCount(): void {
    this.#isCounted = true;
  }

  /**
   * Null: nobody knows how many wait. The oldest then stays what it was, or is taken to have come when the stream began to have
   * something to do: an age that keeps growing, since one that is not shown alerts nobody.
   */
  setBacklog(backlog: Backlog | null): void {
    this.#isCounted &&= backlog !== null;
    this.#pending = backlog?.pending ?? null;
    if (backlog) {
      this.#oldestPendingAt = backlog.oldestOccurredAt;
      this.#parked = backlog.parked;
    } else if (this.#busySince !== null) {
      const busySince = new Date(Date.now() - (performance.now() - this.#busySince));
      this.#oldestPendingAt ??= busySince.toISOString();
    }
    this.#showMetrics();
  }

  #missingEvidence(): StreamFailure | null {
    return this.#activity === 'suspended' ? null : this.#options.missingEvidence();
  }

  #showMetrics(): void {
    const { metrics } = this.#options;
    const health = this.current;
    const { pending, oldestPendingAt, parked, ratePerSecond } = health;
    const state = stateOfHealth(health, Date.now());
    metrics.setState(state);
    metrics.setPending(pending);
    metrics.setOldestPending(oldestPendingAt === null ? null : new Date(oldestPendingAt));
    metrics.setParked(parked);
    metrics.setCatchUpRate(state === 'catching-up' ? ratePerSecond : 0);
  }

  #caughtUp(): void {
    this.#busySince = null;
    this.#hasCaughtUp = true;
    this.#pending = 0;
    this.#oldestPendingAt = null;
  }

  /** There is something to do again, and nobody has counted it. */
  #isBusyAgain(): void {
    this.#busySince ??= performance.now();
    this.#pending = null;
  }

  #setLastError(lastError: LastError): void {
    this.#lastError = lastError;
    this.#options.position.keepLastError(lastError);
  }
}

/**
 * Since when nothing gets through, as the row says; null: it does. Once the last error is over, a start before that is over too, and
 * only not written yet. An error alone is no start: a partial success stands as one, and so does what was over when it was suspended.
 */
function findOutageStart({ outage, lastError }: StreamRow): number | null {
  const since = outage?.since ?? null;
  const resolvedTime = lastError?.resolvedTime;
  if (since === null || (resolvedTime !== undefined && resolvedTime > since)) return null;
  return Date.parse(since);
}

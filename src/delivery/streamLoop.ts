/**
 * One stream: delivers window after window for as long as this replica holds the lease.
 *
 *   idle ──wake──► pin ──► deliver ──► finish ──► pin …
 *                             │
 *                             └─ wait (back-off, hold), then deliver again
 *
 * Promises: it ends only by `stop`, or with the lease; no answer of a receiver and no failure of the database ends it.
 *
 * Not here: what a failure means for the next batch (deliverer.ts).
 */
import { Backoff } from '../basics/backoff.ts';
import { Bell, pause } from '../basics/wait.ts';
import type { Backlog } from '../database/backlog.ts';
import { moveCluster } from '../database/clusters.ts';
import { describeDatabaseFailure, isDatabaseFailure, isRetryable } from '../database/failure.ts';
import { NotPrimaryError } from '../database/primary.ts';
import { loadStream, saveLastError } from '../database/streams.ts';
import { finishWindow, pinWindow } from '../database/window.ts';
import type { ExportConfig } from '../model/exportConfig.ts';
import type { StreamRow, Window } from '../model/stream.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { LastError } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StreamMetrics } from '../telemetry/streamMetrics.ts';
import type { ActiveStream, DeliveryContext } from './context.ts';
import { Deliverer } from './deliverer.ts';
import { HealthTracker } from './healthTracker.ts';
import { measured, sharedBy, showHealth } from './observe.ts';
import { replayParked } from './replay.ts';
import type { Failed } from './windowRun.ts';

/** What one turn of the loop came to. */
type Turn = 'again' | 'nothing-new' | 'lease-lost';

export class StreamLoop {
  readonly log: Logger;
  readonly metrics: StreamMetrics;
  readonly #context: DeliveryContext;
  readonly #stream: ActiveStream;
  readonly #tracker: HealthTracker;
  readonly #observer: StreamObserver;
  readonly #deliverer: Deliverer;
  readonly #retryBackoff: Backoff;
  readonly #holdBackoff: Backoff;
  readonly #databaseBackoff = new Backoff({ initialMs: 200, maxMs: 5_000 });

  /** New entries, or a replay: there may be something to do. */
  readonly #wake = new Bell();
  /** Of one turn. Aborted by a changed config, or a stop: ends every wait, and the run as soon as what is in flight is answered. */
  #interrupt = new AbortController();
  /** Ends even what is in flight. */
  readonly #abort = new AbortController();
  #isStopping = false;
  #hasReplay = true;
  #isCounted = false;
  /** A statement failed, so nothing is assumed of what was written before: the row is read again first. */
  #isRowDoubted = false;
  /** Sequence number at which the window under delivery began, as far as this process knows. */
  #windowStart: number;
  #errorWrites: Promise<unknown> = Promise.resolve();
  #done: Promise<void> | null = null;

  constructor(
    context: DeliveryContext,
    row: StreamRow,
    config: ExportConfig,
    log: Logger,
    metrics: StreamMetrics,
    observer: StreamObserver,
  ) {
    this.log = log;
    this.metrics = metrics;
    this.#stream = { row, config };
    this.#context = { ...context, log, send: measured(sharedBy(context.send, this.#stream), metrics) };
    this.#windowStart = row.sequence;
    this.#observer = observer;
    this.#tracker = new HealthTracker(row, log, {
      onChange: () => this.showHealth(),
      onLastError: (lastError) => this.#saveLastError(lastError),
    });
    this.#retryBackoff = new Backoff(context.options.retry);
    this.#holdBackoff = new Backoff(context.options.hold);
    this.#deliverer = new Deliverer(this.#context, this.#stream, this.#tracker, metrics, () =>
      this.#resetBackoffs(),
    );
  }

  get id(): string {
    return this.#stream.row.id;
  }

  get token(): string {
    return this.#stream.row.token;
  }

  get row(): StreamRow {
    return this.#stream.row;
  }

  get config(): ExportConfig {
    return this.#stream.config;
  }

  /** Without evidence of what is in the database, that is what there is to say. */
  get health(): StreamHealth {
    const { health } = this.#tracker;
    const missing = health.activity === 'suspended' ? null : this.#context.missingEvidence();
    if (!missing) return health;
    return { ...health, activity: 'database-unavailable', failure: missing, isBehind: true, pending: null };
  }

  /** Looks whether entries have waited for seconds; to be asked often. */
  noticeDelay(): void {
    if (this.#tracker.noticeDelay()) this.showHealth();
  }

  /** Tells everybody how it stands now. */
  showHealth(): void {
    showHealth(this.metrics, this.health);
    this.#observer.onChange();
  }

  /** Whether the backlog was ever counted. */
  get isCounted(): boolean {
    return this.#isCounted;
  }

  /** Null: it could not be counted. */
  setBacklog(backlog: Backlog | null): void {
    this.#isCounted = backlog !== null;
    this.#tracker.setBacklog(backlog);
    showHealth(this.metrics, this.health);
  }

  start(): void {
    this.log.debug({ sequence: this.#stream.row.sequence }, 'stream taken');
    this.#done = this.#run();
  }

  /** There may be something to do. */
  wake(reason: 'entries' | 'replay'): void {
    if (reason === 'replay') this.#hasReplay = true;
    else this.#tracker.noticeNew();
    this.#wake.ring();
  }

  /** The manifest or a Secret changed: a wait of any kind ends, what was learned of the old endpoint is forgotten. */
  updateConfig(config: ExportConfig): void {
    const before = this.#stream.config;
    this.#stream.config = config;
    if (before.destination.fingerprint !== config.destination.fingerprint) this.#deliverer.forgetEndpoint();
    this.#resetBackoffs();
    this.#interrupt.abort();
  }

  /** Ends the loop as soon as what is in flight is answered and settled; `abort` then ends even that. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#interrupt.abort();
    await this.#done;
    await this.#errorWrites;
  }

  /** Gives up on requests in flight; their entries are sent again by the next holder. */
  abort(): void {
    this.#abort.abort();
  }

  #resetBackoffs(): void {
    this.#retryBackoff.reset();
    this.#holdBackoff.reset();
  }

  /** Ends early when the config changes, or at a stop. */
  #pause(ms: number): Promise<void> {
    return pause(ms, this.#interrupt.signal);
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#interrupt = new AbortController();
      try {
        if (this.#stream.config.spec.suspend) {
          this.#tracker.setActivity('suspended');
          await this.#pause(Number.POSITIVE_INFINITY);
          continue;
        }
        const turn = await this.#turn();
        this.#isRowDoubted = false;
        this.#databaseBackoff.reset();
        if (turn === 'lease-lost') return this.#observer.onLeaseLost();
        if (turn === 'nothing-new') {
          this.#tracker.clearDatabaseFailure();
          this.#tracker.setActivity('idle');
          await this.#wake.wait(Number.POSITIVE_INFINITY, this.#interrupt.signal);
        }
      } catch (error) {
        // Two transactions met: the next try is expected to succeed.
        if (!isRetryable(error) || this.#isRowDoubted) this.#tellFailure(error);
        this.#isRowDoubted = true;
        await this.#pause(this.#databaseBackoff.next());
      }
    }
  }

  async #turn(): Promise<Turn> {
    if (this.#isRowDoubted && !(await this.#reload())) return 'lease-lost';
    if (!this.#context.isLeaseValid()) {
      await this.#pause(leaseCheckMs);
      return 'again';
    }
    const { row } = this.#stream;
    if (row.window) return this.#deliver(row.window);
    if (this.#hasReplay) return this.#replay();

    const pinned = await pinWindow(this.#context.db, row, this.#stream.config.spec.filter);
    switch (pinned.kind) {
      case 'pinned':
        this.#deliverer.forgetRow();
        if (!isSamePlace({ ...pinned.stream, window: null }, row)) this.#tracker.reload(pinned.stream);
        this.#stream.row = pinned.stream;
        return 'again';
      case 'nothing-new':
        return 'nothing-new';
      case 'lease-lost':
        return 'lease-lost';
      case 'moved':
        this.#context.log.warn(
          { cluster: row.cluster },
          'the table holds entries of another cluster than the one this stream reads: each cluster is finished by itself',
        );
        return (await moveCluster(this.#context.db, row, this.#stream.config.spec.filter)) &&
          (await this.#reload())
          ? 'again'
          : 'lease-lost';
      case 'stale':
        return (await this.#reload()) ? 'again' : 'lease-lost';
    }
  }

  async #deliver(window: Window): Promise<Turn> {
    const step = await this.#deliverer.deliver(window, {
      interrupt: this.#interrupt.signal,
      abort: this.#abort.signal,
    });
    switch (step.kind) {
      case 'again':
        return 'again';
      case 'lease-lost':
        return 'lease-lost';
      case 'wait':
        return this.#wait(step.outcome);
      case 'finished': {
        const row = await finishWindow(this.#context.db, this.#stream.row, window, this.#stream.row.position);
        if (!row) return 'lease-lost';
        const records = row.sequence - this.#windowStart;
        this.#windowStart = row.sequence;
        this.#stream.row = row;
        this.#tracker.clearDatabaseFailure();
        // A steady trickle is gathered rather than sent entry by entry: this is most of an entry's latency.
        if (records < lingerBelowRecords) await this.#pause(this.#context.lingerMs());
        return 'again';
      }
    }
  }

  async #wait(outcome: Failed): Promise<Turn> {
    const isHold = outcome.kind !== 'retry';
    this.#deliverer.slowDown();
    this.#tracker.setFailure(outcome, isHold ? 'held' : 'retrying');
    this.metrics.countRetry(outcome.reason);
    const waitMs = isHold ? this.#holdBackoff.next() : this.#retryBackoff.next(outcome.retryAfterMs);
    await this.#pause(waitMs);
    return 'again';
  }

  async #replay(): Promise<Turn> {
    this.#hasReplay = false;
    const result = await replayParked(
      this.#context,
      this.#stream,
      this.#interrupt.signal,
      this.#abort.signal,
    );
    switch (result.kind) {
      case 'lease-lost':
        return 'lease-lost';
      case 'aborted':
        return 'again';
      case 'failed':
        this.#hasReplay = true;
        return this.#wait(result.outcome);
      case 'done':
        if (result.replayed + result.parkedAgain > 0) {
          this.#context.log.info(
            { replayed: result.replayed, parkedAgain: result.parkedAgain },
            'parked entries replayed',
          );
          // The receiver has answered for each: what kept it from that is over.
          this.#tracker.clearFailure();
        }
        // It stays to be seen as the last error, and holds up nothing.
        if (result.lost) {
          this.#tracker.setFailure(result.lost, 'delivering');
          this.#tracker.clearFailure();
        }
        if (result.replayed > 0) {
          this.#tracker.addDelivered(result.replayed, 0, new Date().toISOString());
          this.#tracker.addParked(-result.replayed);
        }
        return 'again';
    }
  }

  async #reload(): Promise<boolean> {
    const row = await loadStream(this.#context.db, this.#stream.row.id, this.#stream.row.token);
    if (!row) return false;
    if (!isSamePlace(row, this.#stream.row)) {
      this.#deliverer.forgetRow();
      this.#tracker.reload(row);
    }
    this.#stream.row = row;
    return true;
  }

  /** The failure stands until entries are read or settled: that the row can be read says nothing of them. */
  #tellFailure(cause: unknown): void {
    if (isDatabaseFailure(cause)) {
      this.log.debug({ err: cause }, 'database error in a stream');
      const reason = cause instanceof NotPrimaryError ? 'DatabaseNotPrimary' : 'DatabaseUnavailable';
      const message = `The database cannot be used: ${describeDatabaseFailure(cause)}`;
      this.#tracker.setFailure({ reason, message }, 'database-unavailable');
      return;
    }
    this.log.error({ err: cause }, 'unexpected error in a stream: a defect of this program');
    const message =
      'A defect of the collector keeps this export from going on; nothing is lost. Its log has the error: please report it.';
    this.#tracker.setFailure({ reason: 'InternalError', message }, 'held');
  }

  /** One after the other, so that the latest is what stays. Best effort: the next change tells it again. */
  #saveLastError(lastError: LastError): void {
    const { id, token } = this.#stream.row;
    this.#errorWrites = this.#errorWrites
      .then(() => saveLastError(this.#context.db, { id, token }, lastError))
      .catch((error: unknown) => {
        this.#context.log.debug({ err: error }, 'could not keep the last error');
      });
  }
}

/** Whether what is remembered of the one row holds for the other: nobody has moved it, and no failover has set it back. */
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

/** Told of everything that happens to a stream; must not throw. */
export interface StreamObserver {
  /** Activity or failure changed. */
  onChange(): void;
  /** The loop has ended by itself: another replica has the stream. */
  onLeaseLost(): void;
}

/** How often a loop without a valid lease looks whether it was renewed. */
const leaseCheckMs = 200;
/** A window of so many records is followed by the next at once. */
const lingerBelowRecords = 500;

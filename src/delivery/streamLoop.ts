/**
 * Runs one stream: delivers window after window for as long as this replica holds the lease.
 *
 *   idle ──wake──► pin ──► deliver ──► finish ──► pin …
 *                             │
 *                             └─ wait (back-off, hold), then deliver again
 *
 * Promises: it ends only by `stop`, or with the lease; no answer of a receiver and no failure of the database ends it.
 *
 * Not here: what a failure means for the next batch (deliverWindow.ts).
 */
import { Backoff } from '../basics/backoff.ts';
import { Bell, pause } from '../basics/wait.ts';
import { describeDatabaseFailure, isDatabaseFailure, isRetryable } from '../database/failure.ts';
import { NotPrimaryError } from '../database/primary.ts';
import type { ExportConfig, Remark } from '../model/exportConfig.ts';
import type { Failed } from '../model/outcome.ts';
import { deliverWindow } from './deliverWindow.ts';
import { replayParked } from './replayParked.ts';
import { Replays } from './replays.ts';
import type { Signals, Step, Stream } from './stream.ts';

export class StreamLoop {
  readonly stream: Stream;
  readonly #onLeaseLost: () => void;
  readonly #databaseBackoff = new Backoff({ initialMs: 200, maxMs: 5_000 });
  /** Sends ranges of entries once more while there is nothing new. */
  readonly #replays: Replays;
  /** New entries, or a replay: there may be something to do. */
  readonly #wake = new Bell();
  /** Aborted by a changed config, or a stop: ends every wait of this turn, and its run once what is in flight is answered. */
  #interrupt = new AbortController();
  /** Ends even what is in flight. */
  readonly #abort = new AbortController();
  #isStopping = false;
  #hasReplay = true;
  /** A statement failed, so nothing is assumed about what was written before: the row is read again first. */
  #isRowDoubted = false;
  #done: Promise<void> = Promise.resolve();

  /** `onLeaseLost` is called when the loop has ended because another replica has the stream, or will; must not throw. */
  constructor(stream: Stream, onLeaseLost: () => void) {
    this.stream = stream;
    this.#replays = new Replays(stream);
    this.#onLeaseLost = onLeaseLost;
  }

  /** What a person has to know of it although it runs. */
  get remarks(): readonly Remark[] {
    return this.#replays.remarks;
  }

  start(): void {
    this.stream.log.debug({ sequence: this.stream.position.row.sequence }, 'stream taken');
    this.#done = this.#run();
  }

  /** There may be something to do. */
  wake(reason: 'entries' | 'replay-parked' | 'replay'): void {
    switch (reason) {
      case 'entries':
        this.stream.health.noticeNew();
        this.#replays.yieldToEntries();
        break;
      case 'replay-parked':
        this.#hasReplay = true;
        break;
      case 'replay':
        this.#replays.wake();
    }
    this.#wake.ring();
  }

  /** The manifest or a Secret has changed: a wait of any kind ends. */
  updateConfig(config: ExportConfig): void {
    this.stream.updateConfig(config);
    this.#replays.retry();
    this.#interrupt.abort();
  }

  /** Ends the loop as soon as what is in flight is answered and settled; `abort` then ends even that. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#interrupt.abort();
    await this.#done;
    await this.#replays.written();
    await this.stream.position.written();
  }

  /** Gives up on requests in flight; their entries are sent again by the next holder. */
  abort(): void {
    this.#abort.abort();
  }

  async #run(): Promise<void> {
    const { health } = this.stream;
    await this.#replays.begin();
    while (!this.#isStopping) {
      this.#interrupt = new AbortController();
      try {
        if (this.stream.config.spec.suspend) {
          health.setActivity('suspended');
          await pause(Number.POSITIVE_INFINITY, this.#interrupt.signal);
          continue;
        }
        health.resume();
        const turn = await this.#turn();
        this.#isRowDoubted = false;
        this.#databaseBackoff.reset();
        if (turn === 'lease-lost') return this.#onLeaseLost();
        if (turn === 'nothing-new') {
          health.becomeIdle();
          await this.#replays.goOn(this.#signals);
          await this.#wake.wait(this.#replays.dueInMs, this.#interrupt.signal);
        }
      } catch (error) {
        // Two transactions met: the next try is expected to succeed.
        if (!isRetryable(error) || this.#isRowDoubted) this.#reportFailure(error);
        this.#isRowDoubted = true;
        await pause(this.#databaseBackoff.next(), this.#interrupt.signal);
      }
    }
  }

  async #turn(): Promise<'again' | 'nothing-new' | 'lease-lost'> {
    if (this.#isRowDoubted && (await this.#reload()).kind === 'lease-lost') return 'lease-lost';
    if (!this.stream.shared.isLeaseValid()) {
      await pause(leaseCheckMs, this.#interrupt.signal);
      return 'again';
    }
    const step = await this.#step();
    if (step.kind === 'finished') return this.#finish();
    if (step.kind !== 'wait') return step.kind;
    await this.#wait(step.outcome);
    return 'again';
  }

  get #signals(): Signals {
    return { interrupt: this.#interrupt.signal, abort: this.#abort.signal };
  }

  async #step(): Promise<Step | { readonly kind: 'nothing-new' }> {
    const signals = this.#signals;
    const { window } = this.stream.position.row;
    if (window) return deliverWindow(this.stream, window, signals);
    if (!this.#hasReplay) return this.#pin();
    this.#hasReplay = false;
    const step = await replayParked(this.stream, signals);
    this.#hasReplay ||= step.kind === 'wait';
    return step;
  }

  async #pin(): Promise<Step | { readonly kind: 'nothing-new' }> {
    const { position, endpoint, config, log } = this.stream;
    const { filter } = config.spec;
    const pinned = await position.pin(filter);
    switch (pinned) {
      case 'pinned':
        endpoint.isolation.reset();
        return { kind: 'again' };
      case 'nothing-new':
      case 'lease-lost':
        return { kind: pinned };
      case 'moved':
        log.warn(
          { cluster: position.row.cluster },
          'the table holds entries of another cluster than the one this stream reads: each cluster is finished before the next',
        );
        return (await position.moveCluster(filter)) ? this.#reload() : { kind: 'lease-lost' };
      case 'stale':
        return this.#reload();
    }
  }

  async #reload(): Promise<{ readonly kind: 'again' | 'lease-lost' }> {
    const { position, endpoint } = this.stream;
    const found = await position.reload();
    // Suspects were counted from another place.
    if (found === 'elsewhere') endpoint.isolation.reset();
    return { kind: found === 'lease-lost' ? 'lease-lost' : 'again' };
  }

  async #finish(): Promise<'again' | 'lease-lost'> {
    const { position, health, shared } = this.stream;
    const records = await position.finish();
    if (records === null) return 'lease-lost';
    health.clearDatabaseFailure();
    // A steady trickle is gathered rather than sent entry by entry: this is most of an entry's latency.
    if (records >= lingerBelowRecords) return 'again';
    if (this.#replays.dueInMs === 0) await this.#replays.goOn(this.#signals, 'batch');
    else await shared.linger.wait(this.#interrupt.signal);
    return 'again';
  }

  async #wait(outcome: Failed): Promise<void> {
    const { endpoint, health, metrics } = this.stream;
    const waitMs = endpoint.failed(outcome);
    health.setFailure(outcome, outcome.kind === 'retry' ? 'retrying' : 'holding');
    metrics.countRetry(outcome.reason);
    this.stream.attempts.waits(waitMs);
    await pause(waitMs, this.#interrupt.signal);
  }

  /** It stands until entries are read or settled: that the row can be read says nothing about them. */
  #reportFailure(cause: unknown): void {
    const { log, health } = this.stream;
    if (isDatabaseFailure(cause)) {
      log.debug({ err: cause }, 'database error in a stream');
      const reason = cause instanceof NotPrimaryError ? 'DatabaseNotPrimary' : 'DatabaseUnavailable';
      const message = `The database cannot be used: ${describeDatabaseFailure(cause)}`;
      health.setFailure({ reason, message }, 'database-unavailable');
      return;
    }
    log.error({ err: cause }, 'unexpected error in a stream: a defect of this program');
    const message = 'A defect of the collector keeps this export from going on. Nothing is lost.';
    health.setFailure({ reason: 'InternalError', message }, 'holding');
  }
}

/** How often a loop without a valid lease looks whether it was renewed. */
const leaseCheckMs = 200;
/** A window of so many records is followed by the next at once. */
const lingerBelowRecords = 500;

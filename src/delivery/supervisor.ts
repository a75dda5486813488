/**
 * Runs this replica's streams: has its lease renewed (leaseRenewal.ts decides which streams it takes), wakes the streams, counts their
 * backlogs.
 *
 *   configs → SUPERVISOR → stream
 *
 * Its timers serve all streams together: one poll for new entries, one renewal of the lease, one count of backlogs.
 */
import { Bell, pause } from '../basics/wait.ts';
import { endLease, endPredecessorsLease, type Replica, releaseStreams } from '../database/leases.ts';
import type { PollResult } from '../database/pollStreams.ts';
import type { Database } from '../database/pool.ts';
import type { StreamRequest } from '../database/streams.ts';
import type { ExportConfig, Remark } from '../model/exportConfig.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type AttemptKeeperOptions, keepAttempts, runAttemptKeeper } from './attempts.ts';
import type { DeliveryContext } from './deliveryContext.ts';
import { Evidence } from './evidence.ts';
import { FormerStreams } from './formerStreams.ts';
import { LeaseClock } from './lease.ts';
import { LeaseRenewal } from './leaseRenewal.ts';
import { measureBacklogs, restMs } from './measureBacklogs.ts';
import { Poller } from './poller.ts';
import { RunningStreams } from './runningStreams.ts';
import { runTeller, type StoppedConfig, type TellerOptions } from './teller.ts';
import { WantedStreams } from './wantedStreams.ts';

export interface SupervisorOptions {
  /** Connections apart from the streams': however busy those are, leases are renewed in time. */
  readonly control: Database;
  readonly replica: Replica;
  readonly leaseDurationMs: number;
  readonly pollIntervalMs: number;
  /** How often the backlog of a stream that has one is counted, at most. */
  readonly backlogIntervalMs: number;
  /** How often it is looked at what organizations have to be told. Default: see teller.ts. */
  readonly tellIntervalMs?: number;
  /** How soon after a failure attempts are written down for people; see attempts.ts. */
  readonly attemptIntervalMs?: number;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #onStatus: (key: string) => void;
  readonly #lease: LeaseClock;
  readonly #evidence: Evidence;
  readonly #wanted: WantedStreams;
  readonly #running: RunningStreams;
  readonly #leases: LeaseRenewal;
  readonly #poller: Poller;
  readonly #teller: TellerOptions;
  readonly #keeper: AttemptKeeperOptions;
  readonly #renewNow = new Bell();
  readonly #backlogNow = new Bell();
  readonly #formers: FormerStreams;
  readonly #stop = new AbortController();
  #watch: NodeJS.Timeout | null = null;
  #timers: Promise<unknown> = Promise.resolve();
  #isEvidenceMissing = false;
  #lastRenewalAt = performance.now();

  /** `onStatus` is called with a config's key when its health changed in a way that a person wants to know at once. */
  constructor(
    context: Pick<DeliveryContext, 'db' | 'send' | 'budget' | 'buffers' | 'log' | 'options' | 'now'>,
    options: SupervisorOptions,
    metrics: Metrics,
    onStatus: (key: string) => void,
  ) {
    const { control, replica } = options;
    this.#options = options;
    this.#log = context.log;
    this.#metrics = metrics;
    this.#onStatus = onStatus;
    this.#lease = new LeaseClock(options.leaseDurationMs);
    this.#evidence = new Evidence(this.#lease, options.pollIntervalMs, context.log);
    this.#wanted = new WantedStreams(context.log);
    this.#formers = new FormerStreams({
      db: control,
      log: context.log,
      intervalMs: options.backlogIntervalMs,
      running: () => this.#running.all,
      onChange: ({ config }) => onStatus(config.key),
    });
    this.#running = new RunningStreams({
      shared: {
        ...context,
        metrics,
        isLeaseValid: () => this.#lease.isValid(),
        missingEvidence: () => this.#evidence.problem(),
      },
      release: (id) => releaseStreams(control, replica.id, [id]),
      onHealthChange: ({ health, config }) => {
        // How much waits is what a person asks next.
        if (health.current.failure) this.#backlogNow.ring();
        onStatus(config.key);
      },
      onEnded: (stream) => keepAttempts({ db: control, log: context.log }, [stream]),
      onLeaseLost: () => this.#renewNow.ring(),
    });
    this.#leases = new LeaseRenewal({
      control,
      replica,
      durationMs: options.leaseDurationMs,
      clock: this.#lease,
      wanted: this.#wanted,
      running: this.#running,
      onTaken: (taken, replicas) => {
        this.#formers.lookNow();
        this.#log.info({ taken, held: this.#running.size, replicas }, 'took streams');
      },
    });
    this.#teller = {
      db: control,
      log: context.log,
      now: context.now ?? Date.now,
      intervalMs: options.tellIntervalMs,
      running: () => this.#running.all,
      stopped: () => this.#wanted.stopped(),
    };
    this.#keeper = {
      db: control,
      log: context.log,
      running: () => this.#running.all,
      intervalMs: options.attemptIntervalMs,
    };
    this.#poller = new Poller({
      db: control,
      replicaId: replica.id,
      intervalMs: options.pollIntervalMs,
      onResult: (poll, tookMs) => this.#onPoll(poll, tookMs),
      onFailure: (error) => this.#onDatabaseError(error),
    });
  }

  /** @throws the database's error when it cannot be reached at all. */
  async start(): Promise<void> {
    await endPredecessorsLease(this.#options.control, this.#options.replica);
    this.#watch = setInterval(() => this.#watchStreams(), watchIntervalMs);
    const { signal } = this.#stop;
    this.#timers = Promise.all([
      this.#renewLoop(),
      this.#poller.run(signal),
      this.#backlogLoop(signal),
      this.#formers.run(signal),
      runTeller(this.#teller, signal),
      runAttemptKeeper(this.#keeper, signal),
    ]);
  }

  /**
   * Takes the configs that are to run, on whichever replica, and the streams of configs that cannot run yet, which only have to
   * exist. `stopped`: those of which nothing is in force. Takes effect at once.
   */
  setConfigs(
    configs: ReadonlyMap<string, ExportConfig>,
    reserved: readonly StreamRequest[] = [],
    stopped: readonly StoppedConfig[] = [],
  ): void {
    this.#wanted.setConfigs(configs, reserved, stopped);
    for (const { id, config: before, organization } of this.#running.all) {
      const config = this.#wanted.configOf(before.key);
      if (config && config !== before && config.spec.organization === organization)
        this.#running.find(id)?.updateConfig(config);
    }
    this.#renewNow.ring();
  }

  /** Health of a config's stream, if it runs here, or if it runs nowhere though it could. */
  healthOf(key: string): StreamHealth | null {
    // Another replica may have the streams by then, and says how they fare.
    if (this.#stop.signal.aborted && !this.#lease.isValid()) return null;
    const loop = this.#running.find(this.#wanted.streamIdOf(key) ?? '');
    return loop?.stream.health.current ?? this.#wanted.unclaimedHealthOf(key);
  }

  /** What a person has to know of a config's stream besides its health, if it runs here. */
  remarksOf(key: string): readonly Remark[] {
    const loop = this.#running.find(this.#wanted.streamIdOf(key) ?? '');
    return loop ? [...this.#formers.remarksOf(loop.stream), ...loop.remarks] : [];
  }

  /** False while some config has no stream yet: what it will have to deliver is not known to the database. */
  areStreamsMade(): boolean {
    return this.#wanted.areMade;
  }

  /** False when a timer has not come round for minutes though every statement has a deadline: only a restart helps. */
  isMoving(): boolean {
    return performance.now() - Math.min(this.#poller.lastEndAt, this.#lastRenewalAt) < stuckAfterMs;
  }

  /**
   * Ends reading and waiting at once, waits up to `graceMs` for requests in flight, aborts what is left, and settles.
   * Resolves when nothing of it runs any more; the leases are still held, for a last status.
   */
  async drain(graceMs: number): Promise<void> {
    this.#evidence.end();
    this.#stop.abort();
    if (this.#watch) clearInterval(this.#watch);
    const streams = this.#running.all;
    await this.#running.drain(graceMs);
    await keepAttempts(this.#keeper, streams);
    await this.#timers;
  }

  /** Lets go of the leases, so that another replica takes the streams at once. */
  async leave(): Promise<void> {
    try {
      await endLease(this.#options.control, this.#options.replica.id);
    } catch (error) {
      this.#log.warn({ err: error }, 'could not give the leases back; they expire soon');
    }
  }

  async #renewLoop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        if (await this.#leases.renew(this.#stop.signal)) this.#renewNow.ring();
        this.#watchStreams();
        this.#backlogNow.ring();
        this.#evidence.worked();
      } catch (error) {
        this.#onDatabaseError(error);
      }
      this.#lastRenewalAt = performance.now();
      await this.#renewNow.wait(this.#options.leaseDurationMs / renewalsPerLease, this.#stop.signal);
    }
  }

  /** What changes by time alone: evidence that has become too old, entries that have waited for seconds. */
  #watchStreams(): void {
    const isMissing = this.#evidence.problem() !== null;
    const hasChanged = isMissing !== this.#isEvidenceMissing;
    this.#isEvidenceMissing = isMissing;
    this.#metrics.setLeasesHeld(this.#lease.isValid() ? this.#running.size : 0);
    for (const { health } of this.#running.all) {
      health.noticeDelay();
      if (hasChanged || isMissing) health.show();
    }
    for (const key of this.#wanted.unclaimedKeys()) this.#onStatus(key);
  }

  #onPoll(poll: PollResult, tookMs: number): void {
    this.#metrics.observePoll(tookMs);
    for (const id of poll.ready) this.#running.find(id)?.wake('entries');
    this.#evidence.polled(tookMs);
    for (const id of poll.parkedReplays) this.#running.find(id)?.wake('replay-parked');
    for (const id of poll.replays) this.#running.find(id)?.wake('replay');
    if (poll.released) this.#renewNow.ring();
  }

  async #backlogLoop(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const startedAt = performance.now();
      await measureBacklogs(this.#running.all, stop, ({ config }) => this.#onStatus(config.key));
      await pause(restMs(performance.now() - startedAt), stop);
      await this.#backlogNow.wait(this.#options.backlogIntervalMs, stop);
    }
  }

  #onDatabaseError(error: unknown): void {
    this.#evidence.failed(error);
    this.#metrics.countDatabaseError(error);
  }
}

const renewalsPerLease = 4; // one may fail, and the next still comes in time
const stuckAfterMs = 600_000; // a renewal is a handful of statements, and each ends after 60 s (pool.ts)
const watchIntervalMs = 500;

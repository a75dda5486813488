/**
 * Decides which streams run here: makes them, takes and gives leases, wakes them, ends them.
 *
 *   configs → SUPERVISOR → stream
 *
 * Two timers for all streams together: one poll for new entries, one renewal of the lease.
 */
import { Bell } from '../basics/wait.ts';
import { registerClusters } from '../database/clusters.ts';
import { describeDatabaseFailure } from '../database/failure.ts';
import {
  claimStreams,
  leave,
  type Replica,
  releaseStreams,
  renewLease,
  succeed,
} from '../database/leases.ts';
import type { PollResult } from '../database/poll.ts';
import type { Database } from '../database/pool.ts';
import type { StreamRequest } from '../database/streams.ts';
import type { ExportConfig } from '../model/exportConfig.ts';
import type { StreamRow } from '../model/stream.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DeliveryContext } from './context.ts';
import { Evidence } from './evidence.ts';
import { LeaseClock } from './lease.ts';
import { Poller } from './poller.ts';
import { measureBacklogs } from './progress.ts';
import { ReadPlaces } from './readPlaces.ts';
import { StreamLoop } from './streamLoop.ts';
import { WantedStreams } from './wantedStreams.ts';

export interface SupervisorOptions {
  /** Connections apart from the streams': however busy those are, leases are renewed in time. */
  readonly control: Database;
  readonly replica: Replica;
  readonly leaseDurationMs: number;
  readonly pollIntervalMs: number;
  /** How often the backlog of a stream that has one is counted, at most. */
  readonly backlogIntervalMs: number;
}

export class Supervisor {
  readonly #context: DeliveryContext;
  readonly #options: SupervisorOptions;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #lease: LeaseClock;
  readonly #evidence: Evidence;
  #isEvidenceMissing = false;
  #watch: NodeJS.Timeout | null = null;
  #clustersLookedForAt = Number.NEGATIVE_INFINITY;
  readonly #onStatus: (key: string) => void;

  readonly #wanted: WantedStreams;
  readonly #poller: Poller;
  /** By stream id. */
  readonly #loops = new Map<string, StreamLoop>();
  /** Loops on their way out. */
  readonly #ending = new Map<string, { loop: StreamLoop; done: Promise<void> }>();
  readonly #renewNow = new Bell();
  readonly #backlogNow = new Bell();
  readonly #stop = new AbortController();
  #timers: Promise<unknown> = Promise.resolve();
  #isDatabaseDown = false;
  #lastRenewalAt = LeaseClock.now();

  /** `onStatus` is called with a config's key when its health changed in a way that a person wants to know at once. */
  constructor(
    context: Omit<DeliveryContext, 'reads' | 'isLeaseValid' | 'missingEvidence' | 'lingerMs'>,
    options: SupervisorOptions,
    metrics: Metrics,
    onStatus: (key: string) => void,
  ) {
    this.#lease = new LeaseClock(options.leaseDurationMs);
    this.#evidence = new Evidence(this.#lease, options.pollIntervalMs);
    this.#context = {
      ...context,
      reads: new ReadPlaces(context.db.options.max),
      isLeaseValid: () => this.#lease.isValid(),
      missingEvidence: () => this.#evidence.problem(),
      lingerMs: () => Math.max(minLingerMs, lingerPerStreamMs * this.#loops.size),
    };
    this.#options = options;
    this.#log = context.log;
    this.#metrics = metrics;
    this.#onStatus = onStatus;
    this.#wanted = new WantedStreams(context.log);
    this.#poller = new Poller({
      db: options.control,
      replicaId: options.replica.id,
      intervalMs: options.pollIntervalMs,
      onResult: (poll, tookMs) => this.#onPoll(poll, tookMs),
      onFailure: (error) => this.#onDatabaseError(error),
    });
  }

  /** @throws the database's error when it cannot be reached at all. */
  async start(): Promise<void> {
    await succeed(this.#options.control, this.#options.replica);
    this.#watch = setInterval(() => this.#watchStreams(), watchIntervalMs);
    this.#timers = Promise.all([this.#renewLoop(), this.#poller.run(this.#stop.signal), this.#backlogLoop()]);
  }

  /**
   * The configs that are to run, whoever runs them, and the streams that only have to exist: of configs that cannot run
   * yet. Takes effect at once.
   */
  setConfigs(configs: ReadonlyMap<string, ExportConfig>, reserved: readonly StreamRequest[] = []): void {
    this.#wanted.setConfigs(configs, reserved);
    for (const loop of this.#loops.values()) {
      const config = this.#wanted.configOf(loop.config.key);
      if (config && config !== loop.config && config.spec.organization === loop.row.organization)
        loop.updateConfig(config);
    }
    this.#renewNow.ring();
  }

  /** Health of a config's stream, if it runs here, or if it runs nowhere though it could. */
  healthOf(key: string): StreamHealth | null {
    const loop = this.#loops.get(this.#wanted.streamIdOf(key) ?? '');
    return loop?.health ?? this.#wanted.unclaimedHealthOf(key);
  }

  /** False when a timer has not come round for minutes though every statement has a deadline: only a restart helps. */
  isMoving(): boolean {
    return LeaseClock.now() - Math.min(this.#poller.lastEndAt, this.#lastRenewalAt) < stuckAfterMs;
  }

  /**
   * Ends reading and waiting at once, waits up to `graceMs` for requests in flight, aborts what is left, and settles.
   * Resolves when nothing of it runs any more; the leases are still held, for a last status.
   */
  async drain(graceMs: number): Promise<void> {
    this.#stop.abort();
    if (this.#watch) clearInterval(this.#watch);
    const leaving = [...this.#ending.values()];
    const loops = [...this.#loops.values(), ...leaving.map(({ loop }) => loop)];
    const ended = Promise.all([...loops.map((loop) => loop.stop()), ...leaving.map(({ done }) => done)]);
    const timer = setTimeout(() => {
      this.#log.warn(
        { graceMs },
        'requests in flight were not answered in time: aborting them; their entries go again',
      );
      for (const loop of loops) loop.abort();
    }, graceMs);
    await ended;
    clearTimeout(timer);
    await this.#timers;
  }

  /** Lets go of the leases, so that another replica takes the streams at once. */
  async leave(): Promise<void> {
    try {
      await leave(this.#options.control, this.#options.replica.id);
    } catch (error) {
      this.#log.warn({ err: error }, 'could not give the leases back; they expire by themselves');
    }
  }

  async #renewLoop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#renew();
        this.#onDatabaseWell();
      } catch (error) {
        this.#onDatabaseError(error);
      }
      this.#lastRenewalAt = LeaseClock.now();
      await this.#renewNow.wait(this.#options.leaseDurationMs / renewalsPerLease, this.#stop.signal);
    }
  }

  async #renew(): Promise<void> {
    const { control: db } = this.#options;
    const { replica, leaseDurationMs } = this.#options;
    const askedAt = LeaseClock.now();
    const view = await renewLease(db, replica, this.#wanted.hash, leaseDurationMs);
    this.#lease.renewed(askedAt);

    await this.#wanted.makeMissing(db);
    const configById = this.#wanted.byStreamId();

    // Others have taken it: whatever the loop still does is fenced off, so nothing is waited for.
    for (const [id, loop] of this.#loops) {
      if (view.held.get(id) !== loop.token) this.#endLoop(loop, 'lost');
    }
    // Nobody wants it any more, or it is more than this replica's share.
    const share = Math.ceil(this.#wanted.size / Math.max(1, view.liveReplicas));
    const kept = [...this.#loops.values()].filter((loop) => configById.has(loop.id));
    const unwanted = [...this.#loops.values()].filter((loop) => !configById.has(loop.id));
    for (const loop of [...unwanted, ...kept.slice(share)]) this.#endLoop(loop, 'given');
    // Held by name only: a loop that ended by itself, or one that is long gone.
    const orphans = [...view.held.keys()].filter((id) => !this.#loops.has(id) && !this.#ending.has(id));
    if (orphans.length > 0) await releaseStreams(db, replica.id, orphans);

    const free = [...configById.keys()].filter((id) => !this.#loops.has(id) && !this.#ending.has(id));
    const claimed = await claimStreams(db, replica.id, free, share - this.#loops.size);
    // As they are now: one may have changed, or gone, while the claim was under way. What has gone is released as an orphan.
    const current = this.#wanted.byStreamId();
    for (const row of claimed) {
      const config = current.get(row.id);
      if (config && !this.#stop.signal.aborted) this.#startLoop(row, config);
    }
    if (claimed.length > 0) {
      this.#log.info(
        { taken: claimed.length, held: this.#loops.size, replicas: view.liveReplicas },
        'took streams',
      );
    }
    await this.#lookForClusters(claimed);
    const taken = new Set(claimed.map((row) => row.id));
    const left = free.filter((id) => !taken.has(id));
    if (await this.#wanted.lookIntoUnclaimed(db, left)) this.#renewNow.ring();
    this.#watchStreams();
    this.#backlogNow.ring();
  }

  /** Entries of clusters that nobody has looked at may be there from before, or come in where the table's trigger is off. */
  async #lookForClusters(claimed: readonly StreamRow[]): Promise<void> {
    const isDue = LeaseClock.now() - this.#clustersLookedForAt > clustersIntervalMs;
    const rows = isDue ? [...claimed, ...[...this.#loops.values()].map((loop) => loop.row)] : claimed;
    if (isDue) this.#clustersLookedForAt = LeaseClock.now();
    if (rows.length > 0) {
      await registerClusters(this.#options.control, [...new Set(rows.map((row) => row.organization))]);
    }
  }

  /** What changes by time alone: evidence that has become too old, entries that have waited for seconds. */
  #watchStreams(): void {
    const isMissing = this.#evidence.problem() !== null;
    const hasChanged = isMissing !== this.#isEvidenceMissing;
    this.#isEvidenceMissing = isMissing;
    this.#metrics.setLeasesHeld(this.#lease.isValid() ? this.#loops.size : 0);
    for (const loop of this.#loops.values()) {
      if (hasChanged || isMissing) loop.showHealth();
      else loop.noticeDelay();
    }
    for (const key of this.#wanted.unclaimedKeys()) this.#onStatus(key);
  }

  #startLoop(row: StreamRow, config: ExportConfig): void {
    const { namespace, name, key } = config;
    const log = this.#log.child({
      config: `${namespace}/${name}`,
      organization: row.organization,
      stream: row.id,
    });
    const metrics = this.#metrics.forStream({ namespace, name, organization: row.organization });
    const loop = new StreamLoop(this.#context, row, config, log, metrics, {
      onChange: () => {
        // How much waits is what a person asks next.
        if (loop.health.failure) this.#backlogNow.ring();
        this.#onStatus(key);
      },
      onLeaseLost: () => {
        log.info('the lease of this stream is lost: another replica has it, or will');
        if (this.#loops.get(row.id) === loop) this.#loops.delete(row.id);
        metrics.remove();
        this.#renewNow.ring();
      },
    });
    this.#loops.set(row.id, loop);
    loop.start();
  }

  /**
   * Ends a loop without being waited for: a receiver that hangs must not keep the lease of all others from being renewed.
   * `given`: what is in flight is settled, then the stream is released.
   */
  #endLoop(loop: StreamLoop, why: 'lost' | 'given'): void {
    this.#loops.delete(loop.id);
    if (why === 'lost') loop.abort();
    const ending = loop
      .stop()
      .then(() =>
        why === 'given'
          ? releaseStreams(this.#options.control, this.#options.replica.id, [loop.id])
          : undefined,
      )
      .catch((error: unknown) =>
        this.#log.debug({ err: error }, 'could not release a stream; the next renewal does'),
      )
      .finally(() => {
        loop.metrics.remove();
        this.#ending.delete(loop.id);
        this.#log.info({ stream: loop.id, why }, 'gave up a stream');
      });
    this.#ending.set(loop.id, { loop, done: ending });
  }

  #onPoll(poll: PollResult, tookMs: number): void {
    this.#evidence.polled(tookMs);
    this.#metrics.observePoll(tookMs);
    this.#onDatabaseWell();
    for (const id of poll.ready) this.#loops.get(id)?.wake('entries');
    for (const id of poll.replays) this.#loops.get(id)?.wake('replay');
    if (poll.released) this.#renewNow.ring();
  }

  async #backlogLoop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const measured = await measureBacklogs(this.#context, this.#loops.values(), this.#stop.signal);
        for (const key of measured) this.#onStatus(key);
      } catch (error) {
        // Said by the poll, which asks more often.
        this.#log.debug({ err: error }, 'backlogs could not be counted');
      }
      await this.#backlogNow.wait(this.#options.backlogIntervalMs, this.#stop.signal);
    }
  }

  #onDatabaseWell(): void {
    if (this.#isDatabaseDown) this.#log.info('the database can be used again');
    this.#isDatabaseDown = false;
  }

  /** Said once; the next poll or renewal tries again. */
  #onDatabaseError(error: unknown): void {
    this.#evidence.failed(error);
    this.#metrics.countDatabaseError(error);
    if (!this.#isDatabaseDown)
      this.#log.error({ err: error }, `The database cannot be used: ${describeDatabaseFailure(error)}`);
    this.#isDatabaseDown = true;
  }
}

/** Four renewals within a lease: one may fail, and the next still comes in time. */
const renewalsPerLease = 4;
/** A renewal takes at most a handful of statements, and each ends after 60 s (pool.ts). */
const stuckAfterMs = 600_000;
const watchIntervalMs = 500;
const clustersIntervalMs = 60_000;
/** Most of a lone entry's latency in a steady trickle. */
const minLingerMs = 50;
/** A thousand trickling streams make 500 windows a second rather than 20,000. */
const lingerPerStreamMs = 2;

/**
 * Decides which streams run here: makes them, takes and gives leases, wakes them, ends them.
 *
 *   configs → SUPERVISOR → stream
 *
 * Two timers for all streams together: one poll for new entries, one renewal of the lease.
 */
import { createHash } from 'node:crypto';
import { registerClusters } from '../database/clusters.ts';
import { describeDatabaseFailure } from '../database/failure.ts';
import {
  claimStreams,
  findUnclaimed,
  leave,
  type Replica,
  releaseStreams,
  renewLease,
  succeed,
} from '../database/leases.ts';
import { pollStreams } from '../database/poll.ts';
import type { Database } from '../database/pool.ts';
import { ensureStreams, type StreamRequest } from '../database/streams.ts';
import type { ExportConfig } from '../model/exportConfig.ts';
import type { StreamRow } from '../model/stream.ts';
import type { StreamHealth } from '../model/streamHealth.ts';
import type { LastError } from '../model/streamStatus.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { DeliveryContext } from './context.ts';
import { Evidence } from './evidence.ts';
import { Interrupt } from './interrupt.ts';
import { LeaseClock } from './lease.ts';
import { measureBacklogs } from './progress.ts';
import { StreamLoop } from './streamLoop.ts';

export interface SupervisorOptions {
  /** Connections apart from the streams': however busy those are, leases are renewed in time. */
  readonly control: Database;
  readonly replica: Replica;
  readonly leaseDurationMs: number;
  readonly pollIntervalMs: number;
  /** How often the backlog of a stream that has one is counted, at most. */
  readonly backlogIntervalMs: number;
}

interface Wanted {
  readonly config: ExportConfig;
  streamId: string | null;
  /** The stream's row was there, and is gone. */
  isLost: boolean;
  /** Since when no replica sends it though every one may; null: one does. */
  unclaimedSince: number | null;
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

  #wanted = new Map<string, Wanted>();
  #wants = hashOf([]);
  #reserved: readonly StreamRequest[] = [];
  /** By stream id. */
  readonly #loops = new Map<string, StreamLoop>();
  /** Loops on their way out. */
  readonly #ending = new Map<string, { loop: StreamLoop; done: Promise<void> }>();
  readonly #renewNow = new Interrupt();
  readonly #pollNow = new Interrupt();
  readonly #backlogNow = new Interrupt();
  #isStopping = false;
  #timers: Promise<unknown> = Promise.resolve();
  #isDatabaseDown = false;
  #lastPollAt = performance.now();
  #lastRenewalAt = performance.now();

  /** `onStatus` is called with a config's key when its health changed in a way that a person wants to know at once. */
  constructor(
    context: Omit<DeliveryContext, 'isLeaseValid' | 'missingEvidence' | 'lingerMs'>,
    options: SupervisorOptions,
    metrics: Metrics,
    onStatus: (key: string) => void,
  ) {
    this.#lease = new LeaseClock(options.leaseDurationMs);
    this.#evidence = new Evidence(this.#lease, options.pollIntervalMs);
    this.#context = {
      ...context,
      isLeaseValid: () => this.#lease.isValid(),
      missingEvidence: () => this.#evidence.problem(),
      lingerMs: () => Math.max(minLingerMs, lingerPerStreamMs * this.#loops.size),
    };
    this.#options = options;
    this.#log = context.log;
    this.#metrics = metrics;
    this.#onStatus = onStatus;
  }

  /** @throws the database's error when it cannot be reached at all. */
  async start(): Promise<void> {
    await succeed(this.#options.control, this.#options.replica);
    this.#watch = setInterval(() => this.#watchStreams(), watchIntervalMs);
    this.#timers = Promise.all([this.#renewLoop(), this.#pollLoop(), this.#backlogLoop()]);
  }

  /**
   * The configs that are to run, whoever runs them, and the streams that only have to exist: of configs that cannot run
   * yet. Takes effect at once.
   */
  setConfigs(configs: ReadonlyMap<string, ExportConfig>, reserved: readonly StreamRequest[] = []): void {
    const wanted = new Map<string, Wanted>();
    for (const [key, config] of configs) {
      const before = this.#wanted.get(key);
      const isSame = before?.config.spec.organization === config.spec.organization;
      wanted.set(
        key,
        isSame ? { ...before, config } : { config, streamId: null, isLost: false, unclaimedSince: null },
      );
    }
    this.#wanted = wanted;
    this.#wants = hashOf([...wanted.keys()]);
    for (const loop of this.#loops.values()) {
      const config = wanted.get(loop.config.key)?.config;
      if (config && config !== loop.config && config.spec.organization === loop.row.organization)
        loop.updateConfig(config);
    }
    this.#reserved = reserved;
    this.#renewNow.push();
  }

  /** Health of a config's stream, if it runs here, or if it runs nowhere though it could. */
  healthOf(key: string): StreamHealth | null {
    const wanted = this.#wanted.get(key);
    const loop = this.#loops.get(wanted?.streamId ?? '');
    if (loop) return loop.health;
    const since = wanted?.unclaimedSince ?? null;
    return since !== null && performance.now() - since > unclaimedAfterMs ? unclaimedHealth(since) : null;
  }

  /** False when a timer has not come round for minutes though every statement has a deadline: only a restart helps. */
  isMoving(): boolean {
    return performance.now() - Math.min(this.#lastPollAt, this.#lastRenewalAt) < stuckAfterMs;
  }

  /**
   * Ends reading and waiting at once, waits up to `graceMs` for requests in flight, aborts what is left, and settles.
   * Resolves when nothing of it runs any more; the leases are still held, for a last status.
   */
  async drain(graceMs: number): Promise<void> {
    this.#isStopping = true;
    if (this.#watch) clearInterval(this.#watch);
    this.#renewNow.push();
    this.#pollNow.push();
    this.#backlogNow.push();
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
    while (!this.#isStopping) {
      await this.#guard(() => this.#renew());
      this.#lastRenewalAt = performance.now();
      await this.#renewNow.wait(this.#options.leaseDurationMs / renewalsPerLease);
    }
  }

  async #renew(): Promise<void> {
    const { control: db } = this.#options;
    const { replica, leaseDurationMs } = this.#options;
    const askedAt = LeaseClock.now();
    const view = await renewLease(db, replica, this.#wants, leaseDurationMs);
    this.#lease.renewed(askedAt);

    await this.#makeMissing();
    const reserved = this.#reserved;
    if (reserved.length > 0) {
      await ensureStreams(db, reserved);
      if (this.#reserved === reserved) this.#reserved = [];
    }
    const configById = this.#configById();

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

    const wantedIds = [...configById.keys()].filter((id): id is string => id !== null);
    const free = wantedIds.filter((id) => !this.#loops.has(id) && !this.#ending.has(id));
    const claimed = await claimStreams(db, replica.id, free, share - this.#loops.size);
    await this.#lookForClusters(claimed);
    // As they are now: one may have changed, or gone, while the claim was under way. What has gone is released as an orphan.
    const current = this.#configById();
    for (const row of claimed) {
      const config = current.get(row.id);
      if (config && !this.#isStopping) this.#startLoop(row, config);
    }
    if (claimed.length > 0) {
      this.#log.info(
        { taken: claimed.length, held: this.#loops.size, replicas: view.liveReplicas },
        'took streams',
      );
    }
    if (free.length > claimed.length) await this.#lookIntoUnclaimed(free, claimed);
    this.#watchStreams();
    this.#backlogNow.push();
  }

  /** Makes the streams that have no row yet, or none any more. */
  async #makeMissing(): Promise<void> {
    const missing = [...this.#wanted.values()].filter((wanted) => wanted.streamId === null);
    if (missing.length === 0) return;
    const ids = await ensureStreams(
      this.#options.control,
      missing.map(({ config, isLost }) => ({
        configKey: config.key,
        organization: config.spec.organization,
        startFrom: config.spec.startFrom,
        ...(isLost && { lastError: describeLoss(config) }),
      })),
    );
    missing.forEach((wanted, i) => {
      wanted.streamId = ids[i] ?? null;
      if (wanted.isLost && wanted.streamId !== null) {
        const { key, spec } = wanted.config;
        this.#log.error(
          {
            config: key,
            organization: spec.organization,
            startFrom: spec.startFrom,
            stream: wanted.streamId,
          },
          describeLoss(wanted.config).message,
        );
        wanted.isLost = false;
      }
    });
  }

  /** Streams that were to be had and were not taken: a row that is gone is made again, one that nobody holds is said. */
  async #lookIntoUnclaimed(free: readonly string[], claimed: readonly StreamRow[]): Promise<void> {
    const taken = new Set(claimed.map((row) => row.id));
    const left = free.filter((id) => !taken.has(id));
    const { gone, unheld } = await findUnclaimed(this.#options.control, left);
    const unheldIds = new Set(unheld);
    const goneIds = new Set(gone);
    for (const [key, wanted] of this.#wanted) {
      if (wanted.streamId === null) continue;
      if (goneIds.has(wanted.streamId)) {
        wanted.streamId = null;
        wanted.isLost = true;
        this.#renewNow.push();
      } else if (unheldIds.has(wanted.streamId)) {
        wanted.unclaimedSince ??= performance.now();
        this.#onStatus(key);
      } else wanted.unclaimedSince = null;
    }
  }

  /** Entries of clusters that nobody has looked at may be there from before, or come in where the table's trigger is off. */
  async #lookForClusters(claimed: readonly StreamRow[]): Promise<void> {
    const isDue = performance.now() - this.#clustersLookedForAt > clustersIntervalMs;
    const rows = isDue ? [...claimed, ...[...this.#loops.values()].map((loop) => loop.row)] : claimed;
    if (isDue) this.#clustersLookedForAt = performance.now();
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
  }

  #configById(): Map<string | null, ExportConfig> {
    return new Map([...this.#wanted.values()].map(({ streamId, config }) => [streamId, config]));
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
        if (loop.health.failure) this.#backlogNow.push();
        this.#onStatus(key);
      },
      onLeaseLost: () => {
        log.info('the lease of this stream is lost: another replica has it, or will');
        if (this.#loops.get(row.id) === loop) this.#loops.delete(row.id);
        metrics.remove();
        this.#renewNow.push();
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

  async #pollLoop(): Promise<void> {
    const { control: db, replica, pollIntervalMs } = this.#options;
    let snapshot: string | null = null;
    let lookedAt = Number.NEGATIVE_INFINITY;
    while (!this.#isStopping) {
      const startedAt = performance.now();
      const isWell = await this.#guard(async () => {
        // The same snapshot means that nothing has ended, but for a failover that has set transaction ids back.
        const mayRest = startedAt - lookedAt < fullPollIntervalMs;
        const poll = await pollStreams(db, replica.id, mayRest ? snapshot : null);
        if (!mayRest || poll.snapshot !== snapshot) lookedAt = startedAt;
        snapshot = poll.snapshot;
        this.#evidence.polled(performance.now() - startedAt);
        for (const id of poll.ready) this.#loops.get(id)?.wake('entries');
        for (const id of poll.replays) this.#loops.get(id)?.wake('replay');
        if (poll.released) this.#renewNow.push();
      });
      this.#lastPollAt = performance.now();
      const tookMs = this.#lastPollAt - startedAt;
      this.#metrics.observePoll(tookMs);
      if (!isWell) snapshot = null;
      // A slow poll (a thousand streams, a huge open transaction) takes a fifth of a connection at most, as long as nobody
      // waits for it for more than a second. One that failed says nothing of how long the next one takes.
      const restMs = isWell ? Math.min(4 * tookMs, longestRestMs) : 0;
      await this.#pollNow.wait(Math.max(pollIntervalMs, restMs));
    }
  }

  async #backlogLoop(): Promise<void> {
    while (!this.#isStopping) {
      try {
        const measured = await measureBacklogs(this.#context, this.#loops.values(), () => this.#isStopping);
        for (const key of measured) this.#onStatus(key);
      } catch (error) {
        // Said by the poll, which asks more often.
        this.#log.debug({ err: error }, 'backlogs could not be counted');
      }
      await this.#backlogNow.wait(this.#options.backlogIntervalMs);
    }
  }

  /** Runs work on the database; a failure is said once, and the next timer tries again. False: it failed. */
  async #guard(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      if (this.#isDatabaseDown) this.#log.info('the database can be used again');
      this.#isDatabaseDown = false;
      return true;
    } catch (error) {
      this.#evidence.failed(error);
      this.#metrics.countDatabaseError(error);
      if (!this.#isDatabaseDown)
        this.#log.error({ err: error }, `The database cannot be used: ${describeDatabaseFailure(error)}`);
      this.#isDatabaseDown = true;
      return false;
    }
  }
}

/** What the status says of a stream whose row was lost, from its first moment on. */
function describeLoss({ spec }: ExportConfig): LastError {
  const time = new Date().toISOString();
  const start = {
    now: 'with what is written from now on, so entries of before that were not delivered yet are not sent',
    beginning: 'from the beginning, so entries that were delivered before are sent again',
    time: 'from the time in startFrom, so entries that were delivered since are sent again',
  }[spec.startFrom.kind];
  return {
    time,
    reason: 'StreamRestarted',
    message: `The record of what this export had delivered is gone from the database (a restore, or a deleted row in audit.streams). It was made again by startFrom: ${start}.`,
    resolvedTime: time,
  };
}

function unclaimedHealth(since: number): StreamHealth {
  return {
    activity: 'unclaimed',
    failure: {
      reason: 'Unclaimed',
      message:
        'No replica of the collector sends this export: its row in audit.streams is locked, or the replica whose turn it is does not take it. Look for a long transaction on audit.streams, and at the logs of the replicas.',
      since: Date.now() - (performance.now() - since),
    },
    lastError: null,
    delivered: 0,
    rejected: 0,
    parked: 0,
    isBehind: true,
    pending: null,
    oldestPendingAt: null,
    ratePerSecond: 0,
    lastDeliveryAt: null,
  };
}

/** Four renewals within a lease: one may fail, and the next still comes in time. */
const renewalsPerLease = 4;
/** A renewal takes at most a handful of statements, and each ends after 60 s (pool.ts). */
const stuckAfterMs = 600_000;
/** At most so long between two polls, however slow they are; besides, the wait counts as no evidence. */
const longestRestMs = 1_000;
/** A poll looks at every stream so often, even if no transaction seems to have ended. */
const fullPollIntervalMs = 5_000;
const watchIntervalMs = 500;
/** A rolling update or a lost lease passes sooner. */
const unclaimedAfterMs = 15_000;
const clustersIntervalMs = 60_000;
/** Most of a lone entry's latency in a steady trickle. */
const minLingerMs = 50;
/** A thousand trickling streams make 500 windows a second rather than 20,000. */
const lingerPerStreamMs = 2;

function hashOf(keys: readonly string[]): string {
  return createHash('sha256').update(keys.toSorted().join('\n')).digest('hex').slice(0, 32);
}

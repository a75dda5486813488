/** Renews this replica's lease, and with each renewal takes and gives streams as the plan says (leasePlan.ts). */
import { registerClusters } from '../database/clusters.ts';
import { claimStreams, type Replica, releaseStreams, renewLease } from '../database/leases.ts';
import type { Database } from '../database/pool.ts';
import type { StreamRow } from '../model/stream.ts';
import type { LeaseClock } from './lease.ts';
import { planLeases } from './leasePlan.ts';
import type { RunningStreams } from './runningStreams.ts';
import type { WantedStreams } from './wantedStreams.ts';

export interface LeaseRenewalOptions {
  readonly control: Database;
  readonly replica: Replica;
  readonly durationMs: number;
  readonly clock: LeaseClock;
  readonly wanted: WantedStreams;
  readonly running: RunningStreams;
  /** So many streams were taken; so many replicas live. Must not throw. */
  readonly onTaken: (taken: number, replicas: number) => void;
}

const clustersIntervalMs = 60_000;

export class LeaseRenewal {
  readonly #options: LeaseRenewalOptions;
  #clustersLookedForAt = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseRenewalOptions) {
    this.#options = options;
  }

  /** True: the next one is due at once. `stop` aborted: nothing new is started. @throws the database's error. */
  async renew(stop: AbortSignal): Promise<boolean> {
    const { control: db, replica, durationMs, clock, wanted, running } = this.#options;
    const askedAt = performance.now();
    const { held, liveReplicas } = await renewLease(db, replica, wanted.hash, durationMs);
    clock.renewed(askedAt);
    await wanted.makeMissing(db);

    const plan = planLeases({
      held,
      liveReplicas,
      running: running.tokens,
      ending: running.ending,
      wanted: new Set(wanted.byStreamId().keys()),
      wantedCount: wanted.size,
    });
    for (const id of plan.lost) running.end(id, 'lost');
    for (const id of plan.given) running.end(id, 'given');
    if (plan.orphans.length > 0) await releaseStreams(db, replica.id, plan.orphans);
    const claimed = await claimStreams(db, replica.id, plan.free, plan.claim);
    if (claimed.length > 0) this.#start(claimed, liveReplicas, stop);

    await this.#lookForClusters(claimed);
    const taken = new Set(claimed.map((row) => row.id));
    const left = plan.free.filter((id) => !taken.has(id));
    return wanted.lookIntoUnclaimed(db, left);
  }

  #start(claimed: readonly StreamRow[], liveReplicas: number, stop: AbortSignal): void {
    const { wanted, running, onTaken } = this.#options;
    // As they are now: one may have changed, or gone, while the claim was under way. What has gone is released as an orphan.
    const configById = wanted.byStreamId();
    for (const row of claimed) {
      const config = configById.get(row.id);
      if (config && !stop.aborted) running.start(row, config);
    }
    onTaken(claimed.length, liveReplicas);
  }

  /** Entries of clusters that nobody has looked at may be there from before, or come in where the table's trigger is off. */
  async #lookForClusters(claimed: readonly StreamRow[]): Promise<void> {
    const isDue = performance.now() - this.#clustersLookedForAt > clustersIntervalMs;
    if (isDue) this.#clustersLookedForAt = performance.now();
    const streams = [...claimed, ...(isDue ? this.#options.running.all : [])];
    const organizations = new Set(streams.map(({ organization }) => organization));
    if (organizations.size > 0) await registerClusters(this.#options.control, [...organizations]);
  }
}

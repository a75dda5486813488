/** The metrics of one process, on a registry of their own. Other code calls methods and never names a metric or a label. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { makeInstruments } from './instruments.ts';
import { makeKubernetesMetrics } from './kubernetesMetrics.ts';
import { classOfDatabaseError } from './sqlState.ts';
import { makeStreamMetrics } from './streamMetrics.ts';

interface ConfigSourceState {
  readonly synced: boolean;
  /** Manifests seen, including invalid ones. */
  readonly configs: number;
  /** Manifests that are invalid. */
  readonly problems: number;
}

interface PageRequestSample {
  /** GET, HEAD or POST; others count as `other`, because a client can make up methods. */
  readonly method: string;
  /** The route as in the route table, with names of parameters in place of their values. */
  readonly route: string;
  readonly status: string;
  readonly durationMs: number;
}

interface LedgerCounts {
  readonly stopped: number;
  readonly findings: number;
}

interface RetentionSample {
  readonly undelivered: number;
  readonly parked: number;
  readonly held: number;
  readonly unsealed: number;
  readonly waitingSeconds: number;
}

export interface MetricsOptions {
  /** The version of this program. */
  readonly version: string;
  /** Milliseconds since the Unix epoch. Default: the system clock. */
  readonly now?: () => number;
}

export type Metrics = ReturnType<typeof makeMetrics>;

/** Node's own process metrics (`process_*`, `nodejs_*`) are included under their usual names. */
export function makeMetrics(options: MetricsOptions) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = makeInstruments(registry);
  instruments.buildInfo.set({ version: options.version, node: process.version }, 1);

  return {
    /**
     * The metrics of one stream, its counters at 0. A second handle for the same labels takes over from the first, which then
     * does nothing.
     */
    forStream: makeStreamMetrics(instruments, options.now ?? Date.now),
    setLeasesHeld: (streams: number) => instruments.leasesHeld.set(streams),
    setSearchHeldBack: (ms: number) => instruments.searchHeldBack.set(ms / 1_000),
    countRetentionDeleted: (entries: number) => instruments.retentionDeleted.inc(entries),
    /** null: it could not be asked. */
    setRetention(state: RetentionSample | null, isFailing: boolean) {
      instruments.retentionFailing.set(isFailing ? 1 : 0);
      if (state === null) return;
      for (const reason of ['undelivered', 'parked', 'held', 'unsealed'] as const)
        instruments.retentionKept.set({ reason }, state[reason]);
      instruments.retentionWaiting.set(state.waitingSeconds);
    },
    countSealed: (entries: number) => instruments.sealed.inc(entries),
    countScrubbed: (entries: number) => instruments.scrubbed.inc(entries),
    setUnsealed: (ms: number) => instruments.unsealed.set(ms / 1_000),
    setLedgerCounts({ stopped, findings }: LedgerCounts) {
      instruments.ledgersStopped.set(stopped);
      instruments.ledgerFindings.set(findings);
    },
    observePoll: (durationMs: number) => instruments.pollDuration.observe(durationMs / 1_000),
    /** @param error the error that the database layer threw. */
    countDatabaseError: (error: unknown) =>
      instruments.databaseErrors.inc({ class: classOfDatabaseError(error) }),
    setConfigSource: (state: ConfigSourceState) => {
      instruments.configSourceSynced.set(state.synced ? 1 : 0);
      instruments.configs.set(state.configs);
      instruments.configProblems.set(state.problems);
    },
    observePageRequest({ method, route, status, durationMs }: PageRequestSample) {
      const known = ['GET', 'HEAD', 'POST'].includes(method) ? method : 'other';
      instruments.pageRequests.inc({ method: known, route, status });
      instruments.pageRequestDuration.observe({ route }, durationMs / 1_000);
    },
    kubernetes: makeKubernetesMetrics(instruments),
    /** The Content-Type header for `render()`. */
    contentType: registry.contentType as string,
    /** Prometheus text format. */
    render: () => registry.metrics(),
  };
}

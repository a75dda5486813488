/**
 * Every metric of the program: name, help, labels and buckets in one place. `metrics.ts` gives them methods.
 *
 * A stream costs about 50 series. Metrics of this program rather than of one receiver (batch sizes) have no stream labels,
 * and every other label has a small, fixed set of values.
 */

interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: `audit_export_${string}`;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const streamLabels = ['namespace', 'name', 'organization'] as const;

export const metricTable = {
  deliveredEntries: {
    type: 'counter',
    name: 'audit_export_delivered_entries_total',
    help: 'Entries that the receiver has acknowledged, including those it said it rejected.',
    labels: streamLabels,
  },
  rejectedEntries: {
    type: 'counter',
    name: 'audit_export_rejected_entries_total',
    help: 'Entries that the receiver reported as rejected in a partial success. It does not say which.',
    labels: streamLabels,
  },
  pendingEntries: {
    type: 'gauge',
    name: 'audit_export_pending_entries',
    help: 'Committed entries that the receiver has not acknowledged yet, counted up to 10,000,000; absent while unknown.',
    labels: streamLabels,
  },
  parkedEntries: {
    type: 'gauge',
    name: 'audit_export_parked_entries',
    help: 'Entries parked because the receiver refuses them or they cannot be read, waiting for a replay.',
    labels: streamLabels,
  },
  oldestPendingAge: {
    type: 'gauge',
    name: 'audit_export_oldest_pending_age_seconds',
    help: 'Age of the oldest entry that the receiver has not acknowledged, at the time of the scrape; 0 when there is none. While unknown: how long something has been pending.',
    labels: streamLabels,
  },
  catchUpRate: {
    type: 'gauge',
    name: 'audit_export_catch_up_entries_per_second',
    help: 'Entries acknowledged per second while the stream works off a backlog; 0 otherwise.',
    labels: streamLabels,
  },
  streamState: {
    type: 'gauge',
    name: 'audit_export_stream_state',
    help: '1 for the state the stream is in, 0 for the others.',
    labels: [...streamLabels, 'state'],
  },
  requests: {
    type: 'counter',
    name: 'audit_export_requests_total',
    help: 'Requests to the receiver by what their answer meant, and the reason if it was not accepted ("none" otherwise).',
    labels: [...streamLabels, 'outcome', 'reason'],
  },
  retries: {
    type: 'counter',
    name: 'audit_export_retries_total',
    help: 'Requests that repeat a failed one, by the reason of that failure.',
    labels: [...streamLabels, 'reason'],
  },
  requestDuration: {
    type: 'histogram',
    name: 'audit_export_request_duration_seconds',
    help: 'Time from sending a request to its complete answer or failure.',
    labels: streamLabels,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
  deliveryDelay: {
    type: 'histogram',
    name: 'audit_export_delivery_delay_seconds',
    help: 'Time from occurred_at of the newest entry of a batch to the receiver acknowledging it.',
    labels: streamLabels,
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
  },
  batchRecords: {
    type: 'histogram',
    name: 'audit_export_batch_records',
    help: 'Records in a request.',
    labels: [],
    buckets: [1, 10, 50, 100, 250, 500, 1_000],
  },
  batchBytes: {
    type: 'histogram',
    name: 'audit_export_batch_bytes',
    help: 'Body of a request before compression.',
    labels: [],
    buckets: [1_024, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
  },
  searchHeldBack: {
    type: 'gauge',
    name: 'audit_export_search_index_held_back_seconds',
    help: 'How long one open transaction of the database has kept newer entries out of the search index, as far as this process knows; 0 if none does. Searches read those entries one by one.',
    labels: [],
  },
  leasesHeld: {
    type: 'gauge',
    name: 'audit_export_leases_held',
    help: 'Streams whose lease this replica holds.',
    labels: [],
  },
  pollDuration: {
    type: 'histogram',
    name: 'audit_export_poll_duration_seconds',
    help: 'Duration of one poll of the database for new entries of all streams.',
    labels: [],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  },
  databaseErrors: {
    type: 'counter',
    name: 'audit_export_database_errors_total',
    help: 'Failed statements by the class of their SQLSTATE, "connection" when the database did not answer.',
    labels: ['class'],
  },
  configSourceSynced: {
    type: 'gauge',
    name: 'audit_export_config_source_synced',
    help: '1 while the manifests are being read and watched, 0 while they cannot be.',
    labels: [],
  },
  configs: {
    type: 'gauge',
    name: 'audit_export_configs',
    help: 'AuditExportConfig manifests that the collector sees.',
    labels: [],
  },
  configProblems: {
    type: 'gauge',
    name: 'audit_export_config_problems',
    help: 'AuditExportConfig manifests that are invalid, or refer to something invalid.',
    labels: [],
  },
  configCondition: {
    type: 'gauge',
    name: 'audit_export_config_condition',
    help: '1 for each condition that the status of an AuditExportConfig in the cluster has, by its type and status.',
    labels: ['namespace', 'name', 'type', 'status'],
  },
  reconciles: {
    type: 'counter',
    name: 'audit_export_reconciles_total',
    help: 'Reconciles of an AuditExportConfig of the cluster: judged, waiting for a Secret to be read, unavailable (it cannot be read now), or error.',
    labels: ['result'],
  },
  reconcileQueueDepth: {
    type: 'gauge',
    name: 'audit_export_reconcile_queue_depth',
    help: 'AuditExportConfigs of the cluster that wait to be reconciled.',
    labels: [],
  },
  statusWriteFailures: {
    type: 'counter',
    name: 'audit_export_status_write_failures_total',
    help: 'Failed writes of a status to the cluster by HTTP code, "unreachable" when no answer came.',
    labels: ['code'],
  },
  kubernetesRequests: {
    type: 'counter',
    name: 'audit_export_kubernetes_requests_total',
    help: 'Requests to the Kubernetes API server by method (WATCH for a watch) and HTTP code, "unreachable" when no answer came.',
    labels: ['method', 'code'],
  },
  kubernetesWatchRestarts: {
    type: 'counter',
    name: 'audit_export_kubernetes_watch_restarts_total',
    help: 'Watches that were reopened after they ended. Every watch ends after at most ten minutes.',
    labels: ['resource'],
  },
  pageRequests: {
    type: 'counter',
    name: 'audit_export_page_requests_total',
    help: 'Requests to the Audit Logs page by route ("none" if no route matches) and HTTP status ("aborted" if the client left before the end).',
    labels: ['method', 'route', 'status'],
  },
  pageRequestDuration: {
    type: 'histogram',
    name: 'audit_export_page_request_duration_seconds',
    help: 'Time from a request to the Audit Logs page to the end of its answer.',
    labels: ['route'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
  },
  buildInfo: {
    type: 'gauge',
    name: 'audit_export_build_info',
    help: 'Always 1; its labels say which version runs.',
    labels: ['version', 'node'],
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricKey = keyof typeof metricTable;

/**
 * Every metric of the program: name, help, labels and buckets in one place. `metrics.ts` gives them methods.
 *
 * A stream costs about 50 series. Metrics of this program rather than of one receiver (batch sizes) have no stream labels,
 * and every other label has a small, fixed set of values.
 */

type Name = `audit_export_${string}`;

function counter(name: Name, help: string, labels: readonly string[] = []) {
  return { type: 'counter', name, help, labels } as const;
}

function gauge(name: Name, help: string, labels: readonly string[] = []) {
  return { type: 'gauge', name, help, labels } as const;
}

function histogram(name: Name, help: string, buckets: readonly number[], labels: readonly string[] = []) {
  return { type: 'histogram', name, help, labels, buckets } as const;
}

const streamLabels = ['namespace', 'name', 'organization'];

export const metricTable = {
  deliveredEntries: counter(
    'audit_export_delivered_entries_total',
    'Entries that the receiver has acknowledged, including those it said it rejected.',
    streamLabels,
  ),
  replayedEntries: counter(
    'audit_export_replayed_entries_total',
    'Entries of a range that somebody asked to be sent once more, and that the receiver has acknowledged. No other metric of the stream counts them.',
    streamLabels,
  ),
  rejectedEntries: counter(
    'audit_export_rejected_entries_total',
    'Entries that the receiver reported as rejected in a partial success. It does not say which.',
    streamLabels,
  ),
  pendingEntries: gauge(
    'audit_export_pending_entries',
    'Committed entries that the receiver has not acknowledged yet, counted up to 10,000,000; absent while unknown.',
    streamLabels,
  ),
  parkedEntries: gauge(
    'audit_export_parked_entries',
    'Entries parked because the receiver refuses them or they cannot be read, waiting for a replay.',
    streamLabels,
  ),
  oldestPendingAge: gauge(
    'audit_export_oldest_pending_age_seconds',
    'Age of the oldest entry that the receiver has not acknowledged, at the time of the scrape; 0 when there is none. While unknown: how long something has been pending.',
    streamLabels,
  ),
  catchUpRate: gauge(
    'audit_export_catch_up_entries_per_second',
    'Entries acknowledged per second while the stream works off a backlog; 0 otherwise.',
    streamLabels,
  ),
  streamState: gauge(
    'audit_export_stream_state',
    '1 for the state the stream is in, 0 for those it was in before.',
    [...streamLabels, 'state'],
  ),
  requests: counter(
    'audit_export_requests_total',
    'Requests to the receiver by what their answer meant, and the reason if it was not accepted ("none" otherwise).',
    [...streamLabels, 'outcome', 'reason'],
  ),
  retries: counter(
    'audit_export_retries_total',
    'Requests that repeat a failed one, by the reason of that failure.',
    [...streamLabels, 'reason'],
  ),
  requestDuration: histogram(
    'audit_export_request_duration_seconds',
    'Time from sending a request to its complete answer or failure.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    streamLabels,
  ),
  deliveryDelay: histogram(
    'audit_export_delivery_delay_seconds',
    'Time from occurred_at of the newest entry of a batch to the receiver acknowledging it.',
    [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
    streamLabels,
  ),
  batchRecords: histogram(
    'audit_export_batch_records',
    'Records in a request.',
    [1, 10, 50, 100, 250, 500, 1_000],
  ),
  batchBytes: histogram(
    'audit_export_batch_bytes',
    'Body of a request before compression.',
    [1_024, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216],
  ),
  retentionDeleted: counter(
    'audit_export_retention_deleted_entries_total',
    'Entries that this process has deleted because their time had come.',
  ),
  retentionKept: gauge(
    'audit_export_retention_kept_entries',
    'Entries past their time that stay, by what keeps them: a destination that has not taken them (undelivered), one that has parked them (parked), a hold (held), or the ledger, in which they are not sealed yet (unsealed). The same on every replica.',
    ['reason'],
  ),
  retentionWaiting: gauge(
    'audit_export_retention_waiting_seconds',
    'How long entries past their time have waited for a destination, or to be sealed, for the organization that has waited longest; 0: none does.',
  ),
  retentionFailing: gauge(
    'audit_export_retention_failing',
    '1 while expired entries of some organization cannot be deleted, because the database refuses it.',
  ),
  sealed: counter(
    'audit_export_ledger_sealed_entries_total',
    'Entries that this process has sealed in ledgers.',
  ),
  scrubbed: counter(
    'audit_export_ledger_scrubbed_entries_total',
    'Sealed entries that this process has compared with the table.',
  ),
  unsealed: gauge(
    'audit_export_ledger_unsealed_seconds',
    'How long entries of the organization that has waited longest have not been sealed, as far as this process knows; while all of a table that was there before is sealed, how long that has stood still; 0: none waits.',
  ),
  ledgersStopped: gauge(
    'audit_export_ledgers_stopped',
    'Ledgers in which nothing is sealed any more because the database was set back or changed, until a person begins new ones. The same on every replica.',
  ),
  ledgerFindings: gauge(
    'audit_export_ledger_findings',
    'Entries that are not as they were sealed: changed, missing, replaced, moved or slipped in. The same on every replica.',
  ),
  searchHeldBack: gauge(
    'audit_export_search_index_held_back_seconds',
    'How long one open transaction of the database has kept newer entries out of the search index, as far as this process knows; 0 if none does. Searches read those entries one by one.',
  ),
  leasesHeld: gauge('audit_export_leases_held', 'Streams whose lease this replica holds.'),
  pollDuration: histogram(
    'audit_export_poll_duration_seconds',
    'Duration of one poll of the database for new entries of all streams.',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
  ),
  databaseErrors: counter(
    'audit_export_database_errors_total',
    'Failed statements by the class of their SQLSTATE, "connection" when the database did not answer.',
    ['class'],
  ),
  configSourceSynced: gauge(
    'audit_export_config_source_synced',
    '1 while the manifests are being read and watched, 0 while they cannot be.',
  ),
  configs: gauge('audit_export_configs', 'AuditExportConfig manifests that the collector sees.'),
  configProblems: gauge(
    'audit_export_config_problems',
    'AuditExportConfig manifests that are invalid, or refer to something invalid.',
  ),
  configCondition: gauge(
    'audit_export_config_condition',
    '1 for each condition that the status of an AuditExportConfig in the cluster has, by its type and status.',
    ['namespace', 'name', 'type', 'status'],
  ),
  reconciles: counter(
    'audit_export_reconciles_total',
    'Reconciles of an AuditExportConfig of the cluster: judged, waiting for a Secret to be read, unavailable (it cannot be read now), or error.',
    ['result'],
  ),
  reconcileQueueDepth: gauge(
    'audit_export_reconcile_queue_depth',
    'AuditExportConfigs of the cluster that wait to be reconciled.',
  ),
  statusWriteFailures: counter(
    'audit_export_status_write_failures_total',
    'Failed writes of a status to the cluster by HTTP code, "unreachable" when no answer came.',
    ['code'],
  ),
  kubernetesRequests: counter(
    'audit_export_kubernetes_requests_total',
    'Requests to the Kubernetes API server by method (WATCH for a watch) and HTTP code, "unreachable" when no answer came.',
    ['method', 'code'],
  ),
  kubernetesWatchRestarts: counter(
    'audit_export_kubernetes_watch_restarts_total',
    'Watches that were reopened after they ended. Every watch ends after at most ten minutes.',
    ['resource'],
  ),
  pageRequests: counter(
    'audit_export_page_requests_total',
    'Requests to the Audit Logs page by route ("none" if no route matches) and HTTP status ("aborted" if the client left before the end).',
    ['method', 'route', 'status'],
  ),
  pageRequestDuration: histogram(
    'audit_export_page_request_duration_seconds',
    'Time from a request to the Audit Logs page to the end of its answer.',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    ['route'],
  ),
  buildInfo: gauge('audit_export_build_info', 'Always 1; its labels say which version runs.', [
    'version',
    'node',
  ]),
};

export type MetricKey = keyof typeof metricTable;

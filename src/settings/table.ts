/**
 * Every setting of the program, in the order in which people see them. The only place where a name, a type, a default or a
 * limit is written: `npm run generate` makes the docs and the chart's schema from it.
 */
import { hostname } from 'node:os';
import { clusterSettingsTable } from './clusterTable.ts';
import { pageSettingsTable } from './pageTable.ts';
import { authModes, secretText } from './pageValues.ts';
import { optional, required, type Setting, withDefault } from './setting.ts';
import {
  ledgerKeys,
  ledgerName,
  listenAddress,
  namespaceName,
  networks,
  oneOf,
  orOff,
  postgresUrl,
  text,
  wholeNumber,
} from './values.ts';

export const settingsTable = {
  databaseUrl: required('DATABASE_URL', postgresUrl(), {
    secret: true,
    doc: 'The Postgres database (14 to 18) that holds the audit schema.',
  }),
  configSource: withDefault('CONFIG_SOURCE', 'kubernetes', oneOf(['kubernetes', 'directory']), {
    doc: 'Where AuditExportConfig manifests are read: from the cluster, or from the files of CONFIG_DIRECTORY.',
  }),
  configDirectory: optional('CONFIG_DIRECTORY', text({ type: 'path', maxLength: 4096 }), {
    doc: 'Directory of *.yaml manifests, required with CONFIG_SOURCE=directory. The status of NAME.yaml is written to NAME.status.yaml beside it; Secrets are files secrets/NAME/KEY.',
  }),
  watchNamespace: optional('WATCH_NAMESPACE', namespaceName(), {
    doc: 'The only namespace whose manifests are used. Not set: all namespaces.',
  }),
  ...clusterSettingsTable,
  pageAddress: withDefault('PAGE_ADDRESS', '127.0.0.1:8080', orOff(listenAddress()), {
    doc: 'Where the Audit Logs page listens; off: this process has no page.',
  }),
  authMode: optional('AUTH_MODE', oneOf(authModes), {
    doc: 'How the page knows who the user is; required unless PAGE_ADDRESS is off. See docs/authentication.md. local: anyone who can reach the page is an admin of everything; allowed only on a loopback address.',
  }),
  ...pageSettingsTable,
  operationsAddress: withDefault('OPERATIONS_ADDRESS', '0.0.0.0:9090', listenAddress(), {
    doc: 'Where /livez, /readyz and /metrics are served.',
  }),
  metricsToken: optional('METRICS_TOKEN', secretText({ minLength: 16 }), {
    secret: true,
    doc: 'The bearer token that /metrics requires. Not set: anyone who can reach OPERATIONS_ADDRESS can read the names of configs and organizations.',
  }),
  logLevel: withDefault('LOG_LEVEL', 'info', oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']), {
    doc: 'The least severe level that is logged.',
  }),
  configChangeEntries: withDefault('CONFIG_CHANGE_ENTRIES', 'write', oneOf(['write', 'omit']), {
    doc: 'Whether to write an audit entry for the organization when an AuditExportConfig is created, changed or deleted outside the page: write, or omit.',
  }),
  retentionDays: optional('RETENTION_DAYS', wholeNumber({ min: 1, max: 36_500 }), {
    unit: 'days',
    doc: 'How many days entries are kept by their date, unless audit.set_retention says otherwise; older ones are deleted once every destination has them. Set it for the migration too, whose role may decide this. Not set: entries are kept forever. See docs/retention.md.',
  }),
  ledgerKey: optional('LEDGER_KEY', ledgerKeys(), {
    secret: true,
    doc: 'The Ed25519 private key that signs the checkpoints of ledgers; two, one after the other, while one replaces the other. Make one with: openssl genpkey -algorithm ed25519. Not set: entries are sealed, and nothing is signed.',
  }),
  ledgerName: withDefault('LEDGER_NAME', 'audit-export', ledgerName(), {
    doc: 'The name under which ledgers are signed, such as a host name of yours: the origin of a ledger is LEDGER_NAME/ID. The first signature of a ledger fixes it.',
  }),
  serviceName: withDefault('SERVICE_NAME', 'audit-export', text({ type: 'text', maxLength: 255 }), {
    doc: 'The service.name that records carry to receivers.',
  }),
  // At least 200 ms: at most five polls a second, whatever the number of streams. With 250 ms an idle replica stays below
  // five statements a second, including the renewal of its leases.
  pollIntervalMs: withDefault('POLL_INTERVAL_MS', '250', wholeNumber({ min: 200, max: 60_000 }), {
    unit: 'ms',
    doc: 'Time between two polls of the database for new entries; one poll serves all streams.',
  }),
  leaseDurationMs: withDefault('LEASE_DURATION_MS', '10000', wholeNumber({ min: 1_000, max: 60_000 }), {
    unit: 'ms',
    doc: 'How long a replica that has stopped renewing its leases keeps its streams; after that another replica takes them over.',
  }),
  replicaName: withDefault('REPLICA_NAME', hostname(), text({ type: 'text', maxLength: 253 }), {
    doc: 'Name of this process among its replicas; a process restarted with the same name gets its streams back at once. Default: the host name, which in Kubernetes is the name of the pod.',
  }),
  statusIntervalMs: withDefault('STATUS_INTERVAL_MS', '30000', wholeNumber({ min: 100, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Time between two writes of a status when only its counters differ; a changed condition is written at once.',
  }),
  // 4 MiB stays under every receiver limit known to us (Datadog 5.1 MB, Coralogix 10 MB, Collector 20 MiB); 64 MiB is
  // the client cap of the OTLP specification (1.11, OTLP/HTTP).
  maxBatchBytes: withDefault(
    'MAX_BATCH_BYTES',
    String(4 * 1024 * 1024),
    wholeNumber({ min: 64 * 1024, max: 64 * 1024 * 1024 }),
    { unit: 'bytes', doc: 'Largest body of a request, before compression.' },
  ),
  maxRequestsInFlight: withDefault('MAX_REQUESTS_IN_FLIGHT', '4', wholeNumber({ min: 1, max: 64 }), {
    doc: 'How many requests of one stream may wait for their answer at the same time.',
  }),
  retryInitialMs: withDefault('RETRY_INITIAL_MS', '500', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'First wait after a failure that can pass without anyone acting; each further wait is longer.',
  }),
  retryMaxMs: withDefault('RETRY_MAX_MS', '30000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Longest wait between two tries after such a failure. The collector never stops trying.',
  }),
  holdInitialMs: withDefault('HOLD_INITIAL_MS', '5000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'First wait while a stream is holding after a failure that someone must fix; a changed manifest or Secret ends it at once.',
  }),
  holdMaxMs: withDefault('HOLD_MAX_MS', '60000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Longest wait between two tries while a stream is holding.',
  }),
  refusedAddresses: withDefault('REFUSED_ADDRESSES', '', networks(), {
    doc: 'Networks that no receiver may be in, such as 169.254.0.0/16,10.0.0.0/8; checked on each connection.',
  }),
  allowedAddresses: withDefault('ALLOWED_ADDRESSES', '', networks(), {
    doc: 'Private networks that receivers may be in even for configs that are limited to internet addresses (those saved on the page); a network that covers a metadata service opens that too. REFUSED_ADDRESSES takes precedence.',
  }),
  databasePoolSize: withDefault('DATABASE_POOL_SIZE', '8', wholeNumber({ min: 3, max: 200 }), {
    doc: 'Maximum number of connections to Postgres at the same time; two of them are reserved for leases, polls and probes. The page opens four more.',
  }),
  // Less than the 30 s (terminationGracePeriodSeconds) after which Kubernetes kills a stopping pod.
  shutdownGraceMs: withDefault('SHUTDOWN_GRACE_MS', '25000', wholeNumber({ min: 0, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'How long a stopping process waits for answers to its requests in flight. The next owner sends entries not settled by then again.',
  }),
};

/** The settings of one process, checked and typed as the rows say. An optional setting that is not set is null. */
export type Settings = {
  readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K] extends Setting<infer T> ? T : never;
};

/**
 * Every setting of the program, in the order they are listed to people. The one place a name, a default or a limit is written.
 */
import { hostname } from 'node:os';
import { clusterSettingsTable } from './clusterTable.ts';
import { pageSettingsTable } from './pageTable.ts';
import { secretText } from './pageValues.ts';
import { optional, required, type Setting, withDefault } from './setting.ts';
import { authModes, logLevels, type Settings } from './settings.ts';
import {
  listenAddress,
  namespaceName,
  networks,
  oneOf,
  orOff,
  postgresUrl,
  text,
  wholeNumber,
} from './values.ts';

export const settingsTable: { readonly [K in keyof Settings]: Setting<Settings[K]> } = {
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
    doc: 'The one namespace whose manifests are used. Not set: all of them.',
  }),
  ...clusterSettingsTable,
  pageAddress: withDefault('PAGE_ADDRESS', '127.0.0.1:8080', orOff(listenAddress()), {
    doc: 'Where the Audit Logs page listens; off: this process has no page.',
  }),
  authMode: optional('AUTH_MODE', oneOf(authModes), {
    doc: 'How the page knows who asks; required, unless PAGE_ADDRESS is off. See docs/authentication.md; local: whoever reaches it is admin of everything, only on a loopback address.',
  }),
  ...pageSettingsTable,
  operationsAddress: withDefault('OPERATIONS_ADDRESS', '0.0.0.0:9090', listenAddress(), {
    doc: 'Where /livez, /readyz and /metrics are served.',
  }),
  metricsToken: optional('METRICS_TOKEN', secretText({ minLength: 16 }), {
    secret: true,
    doc: 'What /metrics asks for as a bearer token. Not set: whoever reaches OPERATIONS_ADDRESS reads the names of exports and organizations.',
  }),
  logLevel: withDefault('LOG_LEVEL', 'info', oneOf(logLevels), {
    doc: 'The least severe level that is logged.',
  }),
  configChangeEntries: withDefault('CONFIG_CHANGE_ENTRIES', 'write', oneOf(['write', 'omit']), {
    doc: 'Whether an AuditExportConfig that is made, changed or deleted by others than the page becomes an audit entry of its organization: write, or omit.',
  }),
  serviceName: withDefault('SERVICE_NAME', 'audit-export', text({ type: 'text', maxLength: 255 }), {
    doc: 'The service.name that records carry to receivers.',
  }),
  // At least 200 ms: five polls a second at most, whatever the number of streams. With 250 ms an idle replica stays below
  // five statements a second, its lease included.
  pollIntervalMs: withDefault('POLL_INTERVAL_MS', '250', wholeNumber({ min: 200, max: 60_000 }), {
    unit: 'ms',
    doc: 'Time between two looks at the database for new entries; one look serves all streams.',
  }),
  leaseDurationMs: withDefault('LEASE_DURATION_MS', '10000', wholeNumber({ min: 1_000, max: 60_000 }), {
    unit: 'ms',
    doc: 'How long a replica that stopped renewing still owns its streams; after that another takes them over.',
  }),
  replicaName: withDefault('REPLICA_NAME', hostname(), text({ type: 'text', maxLength: 253 }), {
    doc: 'Name of this process among its replicas; a restarted process of the same name takes its streams back at once. Default: the host name, which in Kubernetes is the pod name.',
  }),
  statusIntervalMs: withDefault('STATUS_INTERVAL_MS', '30000', wholeNumber({ min: 100, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Time between two writes of a status in which only counters differ; a changed condition is written at once.',
  }),
  // 4 MiB stays under every receiver limit known to us (Datadog 5.1 MB, Coralogix 10 MB, Collector 20 MiB); 64 MiB is
  // the client cap of the OTLP specification (1.11, OTLP/HTTP).
  maxBatchBytes: withDefault(
    'MAX_BATCH_BYTES',
    String(4 * 1024 * 1024),
    wholeNumber({ min: 64 * 1024, max: 64 * 1024 * 1024 }),
    { unit: 'bytes', doc: 'Largest request body, before compression.' },
  ),
  maxRequestsInFlight: withDefault('MAX_REQUESTS_IN_FLIGHT', '4', wholeNumber({ min: 1, max: 64 }), {
    doc: 'Requests of one stream that may wait for their answer at the same time.',
  }),
  retryInitialMs: withDefault('RETRY_INITIAL_MS', '500', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'First wait after a failure that passes by itself; each further one is longer.',
  }),
  retryMaxMs: withDefault('RETRY_MAX_MS', '30000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Longest wait between two tries of such a failure. Tries never end.',
  }),
  holdInitialMs: withDefault('HOLD_INITIAL_MS', '5000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'First wait after a failure that needs a person; a changed manifest or Secret ends it at once.',
  }),
  holdMaxMs: withDefault('HOLD_MAX_MS', '60000', wholeNumber({ min: 10, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'Longest wait between two tries of such a failure.',
  }),
  refusedAddresses: withDefault('REFUSED_ADDRESSES', '', networks(), {
    doc: 'Networks that no receiver may be in, such as 169.254.0.0/16,10.0.0.0/8; checked when connecting.',
  }),
  allowedAddresses: withDefault('ALLOWED_ADDRESSES', '', networks(), {
    doc: 'Networks that receivers may be in although they are no addresses of the internet, for exports that are kept to those (what is configured on the page); a network inside of a metadata service opens that too. REFUSED_ADDRESSES goes before it.',
  }),
  databasePoolSize: withDefault('DATABASE_POOL_SIZE', '8', wholeNumber({ min: 3, max: 200 }), {
    doc: 'Most connections to Postgres at the same time; two of them are kept for leases, the poll and probes. The page opens four more.',
  }),
  // Under the 30 s that Kubernetes gives a pod (terminationGracePeriodSeconds) before it kills it.
  shutdownGraceMs: withDefault('SHUTDOWN_GRACE_MS', '25000', wholeNumber({ min: 0, max: 3_600_000 }), {
    unit: 'ms',
    doc: 'On a stop, time for requests in flight to be answered. Entries not settled by then are sent again by the next owner.',
  }),
};

/**
 * An AuditExportConfig as the rest of the program sees it: validated, with defaults filled in and references resolved.
 * Sources (cluster, directory) produce it; the supervisor turns each into a stream.
 */
import type { RemarkReason } from './reasons.ts';
import type { Secret } from './secret.ts';

export interface ExportConfig {
  /** Stable identity of the stream's position: cluster uid, or `directory/NAMESPACE/NAME`. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly spec: ExportSpec;
  readonly destination: Destination;
  /** Annotation `auditexport.dev/reconcile-at`: a changed value means "try again now". Absent: nobody has asked. */
  readonly reconcileAt?: string;
  /**
   * Annotation `auditexport.dev/take-over`: whether the stream of the former config of this name goes on for this one, or what that
   * left undelivered is not wanted. Absent: nobody has decided.
   */
  readonly takesOver?: boolean;
  /** Annotation `auditexport.dev/replay`: a range of entries to send once more, for each value once. Absent: nobody has asked. */
  readonly replay?: ReplayRequest;
  /** What a person has to know about it although it runs. Absent: nothing. */
  readonly remarks?: readonly Remark[];
}

/** Entries that occurred from `since` to before `until`, RFC 3339. */
export interface ReplayRequest {
  readonly since: string;
  readonly until: string;
  /** As it was written. */
  readonly request: string;
}

export interface Remark {
  /** The reason of the Event that says it too. */
  readonly reason: RemarkReason;
  /** One or two sentences, never a secret. */
  readonly message: string;
}

/** The parts of the spec that decide which entries are sent, and in what batches. */
export interface ExportSpec {
  readonly organization: string;
  /** As written, for people; `Destination.url` is what is posted to. */
  readonly endpoint: string;
  readonly maxBatchSize: number;
  readonly startFrom: StartFrom;
  readonly suspend: boolean;
  readonly filter: EntryFilter;
  /** Each field, without secrets, for the audit entry of a change. Absent: changes are not recorded. */
  readonly shown?: Readonly<Record<string, unknown>>;
}

/** Read once, when the stream is created. */
export type StartFrom =
  | { readonly kind: 'now' }
  | { readonly kind: 'beginning' }
  | { readonly kind: 'time'; readonly time: string };

/** Globs with `*` on event types; an entry goes when it matches `eventTypes` (or that is empty), no exclusion, and `projects` (or that is empty). */
export interface EntryFilter {
  readonly eventTypes: readonly string[];
  readonly excludeEventTypes: readonly string[];
  readonly projects: readonly string[];
}

/** How a request's body may be compressed, by the names that HTTP has for it. */
export const compressions = ['gzip', 'zstd', 'none'] as const;
export type Compression = (typeof compressions)[number];

/** Everything one HTTP attempt needs to know about the receiver. A changed `fingerprint` ends a hold at once. */
export interface Destination {
  /** Resolved: `/v1/logs` appended where the endpoint had no path. */
  readonly url: URL;
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: Secret }>;
  readonly compression: Compression;
  /** For one attempt as a whole, answer included. */
  readonly timeoutMs: number;
  readonly tls: TlsOptions;
  /**
   * Where it may be: `public` refuses loopback, private and every other address that is not on the internet, unless
   * ALLOWED_ADDRESSES names it. Absent: `any`.
   */
  readonly addresses?: 'any' | 'public';
  /** Hash of all of the above, secrets included; safe to print. */
  readonly fingerprint: string;
}

export interface TlsOptions {
  /** PEM; absent: the system's roots. */
  readonly ca?: string;
  /** PEM certificate and key for mutual TLS. */
  readonly clientCert?: { readonly cert: string; readonly key: Secret };
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
}

/** NAMESPACE.NAME, as entries name a destination: a namespace has no dot. */
export function nameDestination({ namespace, name }: Pick<ExportConfig, 'namespace' | 'name'>): string {
  return `${namespace}.${name}`;
}

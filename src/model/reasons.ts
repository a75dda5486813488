/**
 * Every reason an export can give, one row each: when it comes, what the collector does about it, and what a person does.
 *
 * The types of failures, the outcome of an answer (otlp/classify.ts), the advice in statuses, logs and on the page, and the
 * tables of docs/reasons.md, docs/runbook.md and crds/README.md all come from here. To add a reason, add a row and raise it;
 * then run `npm run generate`.
 *
 * Not here: what happened in one case (the message that comes with a reason).
 */

/** What the collector does. */
export type Reaction =
  | 'none' // nothing has failed
  | 'retry' // backs off and tries for ever: it will pass
  | 'hold' // keeps everything and tries slowly: a person must act
  | 'too-large' // sends less at once
  | 'refused' // finds out which entry it is, or that it is the configuration
  | 'park' // sets one entry aside
  | 'go-on' // delivers as before
  | 'last-good' // keeps the last good version of the manifest in force
  | 'forbid'; // exports nothing

export interface ReasonRow {
  /** For the docs, in Markdown. */
  readonly when: string;
  readonly reaction: Reaction;
  /** For the docs, in Markdown: what happens, where the reaction does not say it all. */
  readonly what?: string;
  /** What a person does, in one or two sentences. It follows the message wherever a failure is shown. */
  readonly advice: string;
  /** For the docs, in Markdown: what they add to the advice. */
  readonly more?: string;
}

export interface RequestRow extends ReasonRow {
  /** The heading when a test of an export's settings ends so. */
  readonly testTitle: string;
  /** For that test, where the advice speaks of entries or of later tries. */
  readonly testAdvice?: string;
}

type Rows<Row> = Readonly<Record<string, Row>>;

/** Reasons that all lead to the same reaction. */
function allLeadTo<const R extends Reaction, Reason extends string>(
  reaction: R,
  rows: Readonly<Record<Reason, Omit<RequestRow, 'reaction'>>>,
) {
  const entries = Object.entries<Omit<RequestRow, 'reaction'>>(rows);
  return Object.fromEntries(entries.map(([reason, row]) => [reason, { ...row, reaction }])) as Readonly<
    Record<Reason, RequestRow & { readonly reaction: R }>
  >;
}

/** Reasons of a condition when nothing has failed. The advice is for the docs, in Markdown. */
const calm = {
  Delivering: { when: 'entries get through', reaction: 'none', advice: 'Nothing to do.' },
  Incomplete: {
    when: 'entries get through, but some are parked, or the receiver rejected them',
    reaction: 'none',
    what: 'delivery continues',
    advice:
      'See the reason of each in [parked entries](operations.md#parked-entries); compare the receiver with the table.',
  },
  NothingSent: {
    when: 'the receiver has not been sent an entry yet',
    reaction: 'none',
    what: '`Ready` is `Unknown` until it has accepted one',
    advice: 'Nothing to do. Write an entry to see at once whether it gets through.',
  },
  Progressing: {
    when: 'the export is starting, or trying new settings',
    reaction: 'none',
    advice: 'Nothing to do.',
  },
  Suspended: {
    when: '`spec.suspend` is true',
    reaction: 'none',
    what: 'nothing is sent',
    advice: 'Set `spec.suspend` to false to resume.',
  },
} as const satisfies Rows<ReasonRow>;

const retrying = allLeadTo('retry', {
  RateLimited: {
    when: '429',
    what: 'retries; `Retry-After` is honoured, up to an hour',
    advice:
      'Nothing to do for now: delivery continues at the pace the receiver asks for. If entries lag behind, ask its operator to raise the limit.',
    testTitle: 'The receiver accepts no more right now',
    testAdvice: 'Try again in a moment. If it lasts, tell the operator of the receiver.',
  },
  ReceiverUnavailable: {
    when: '408, 425, 5xx',
    advice:
      'Nothing to do for now: delivery is retried automatically, and every entry is kept. If it lasts, tell the operator of the receiver.',
    testTitle: 'The receiver is unavailable right now',
    testAdvice: 'Try again in a moment. If it lasts, tell the operator of the receiver.',
  },
  Timeout: {
    when: 'no whole answer within `timeoutSeconds`',
    advice:
      'Check that the receiver is up and not behind a firewall. For a slow one, raise the timeout (timeoutSeconds) or lower the batch size (maxBatchSize).',
    testTitle: 'No answer in time',
    testAdvice:
      'Check that the receiver is up and not behind a firewall. A slow one may need a longer timeout.',
  },
  ConnectionRefused: {
    when: 'nothing listens there',
    advice: 'Check the host and port of the endpoint, and that the receiver is running.',
    testTitle: 'Nothing listens there',
  },
  ConnectionFailed: {
    when: 'reset, unreachable, closed early, not HTTP, a 2xx before the whole request was sent',
    advice:
      'Check the scheme (http or https) and port of the endpoint, and any proxy or firewall between the collector and the receiver.',
    testTitle: 'The connection broke',
  },
  DnsFailed: {
    when: 'the host cannot be resolved, or DNS does not answer in time',
    advice: 'Check the host name of the endpoint for a typing error, and the DNS that the collector uses.',
    testTitle: 'The host name was not found',
  },
});

const holding = allLeadTo('hold', {
  TlsFailed: {
    when: 'certificate not trusted, wrong name, client certificate refused',
    advice:
      'Change what the message names: the certificate authority (tls.caSecretRef), server name (tls.serverName) or client certificate (tls.clientCertSecretRef) of this export, or the certificate of the receiver.',
    testTitle: 'No secure connection',
  },
  AddressRefused: {
    when: "the host resolves to an address where no receiver may be: link-local, cloud metadata, the collector's own, in `REFUSED_ADDRESSES`, or not on the internet where the export is restricted to it",
    advice:
      'Use a receiver at another address, or ask the operator of the collector to name it in ALLOWED_ADDRESSES or to take it out of REFUSED_ADDRESSES.',
    testTitle: 'This address may not be used',
  },
  Unauthorized: {
    when: '401',
    advice:
      'Correct the header that carries the credentials, usually Authorization, or the Secret that it comes from.',
    testTitle: 'The receiver does not accept the credentials',
  },
  Forbidden: {
    when: '403',
    advice: 'Give the credentials permission to write logs there, or use others.',
    testTitle: 'The credentials may not write logs',
  },
  NotFound: {
    when: '404',
    advice: 'Correct the path of the endpoint: without a path /v1/logs is appended, a path is used as it is.',
    testTitle: 'Nothing is at this path',
  },
  MethodNotAllowed: {
    when: '405',
    advice: 'Correct the path of the endpoint: what answers there does not accept logs.',
    testTitle: 'What is at this path does not accept logs',
  },
  ProxyAuthenticationRequired: {
    when: '407',
    advice: 'Add a Proxy-Authorization header, or use an address that needs no proxy.',
    testTitle: 'A proxy asks for credentials',
  },
  UnsupportedMediaType: {
    when: '415',
    advice: 'Check that the endpoint accepts OTLP as protobuf over HTTP, or set compression to gzip or none.',
    testTitle: 'The receiver does not accept this format',
  },
  Redirected: {
    when: '3xx',
    advice: 'Set the endpoint to where the logs should go: redirects are not followed.',
    testTitle: 'The receiver is somewhere else',
  },
  NotOtlp: {
    when: '2xx, but not an OTLP answer, such as a login page, or a JSON object without `partialSuccess` that is not empty',
    advice: 'Check the path of the endpoint, and any proxy or gateway in front of the receiver.',
    testTitle: 'What answered is not an OTLP receiver',
  },
  AnswerTooLarge: {
    when: 'an answer over 64 KiB, or more than 256 KiB of anything before its end',
    advice: 'Check the path of the endpoint, and any proxy or gateway in front of the receiver.',
    testTitle: 'What answered is not an OTLP receiver',
  },
});

const disliked = {
  TooLarge: {
    when: '413, or 400 that says so',
    reaction: 'too-large',
    what: 'halves the request and remembers the size; an entry that is too large alone is parked',
    advice:
      "Raise the receiver's limit, then replay what is parked. A lower batch size (maxBatchSize) saves requests until then.",
    testTitle: 'The receiver finds even one record too large',
    testAdvice: 'Ask the operator of the receiver to accept larger requests.',
  },
  EntryRefused: {
    when: '400, 422, other 4xx, a partial success that rejects every record of its request',
    reaction: 'refused',
    what: 'finds the entry; parks it once the endpoint has accepted another and refused this one over several connections; holds while it accepts none',
    advice:
      'See what the receiver says, and fix the receiver or this export. Entries it refuses while it accepts others are parked: replay them then.',
    testTitle: 'The receiver refused the record',
    testAdvice: 'See what the receiver says: the headers or the endpoint may be wrong.',
  },
} as const satisfies Rows<RequestRow>;

const rejected = {
  PartialSuccess: {
    when: 'the receiver took a request and rejected some of its records, without saying which',
    reaction: 'go-on',
    what: 'delivery continues',
    advice:
      'Ask the operator of the receiver why, and compare the receiver with the table: rejected entries are not sent again.',
    more: '[Why not](guarantee.md#what-is-not-promised).',
    testTitle: 'The receiver answered, and rejected the record',
    testAdvice: 'Ask the operator of the receiver why.',
  },
} as const satisfies Rows<RequestRow>;

/** No receiver has seen these entries. Their messages end with the advice: they are kept with the entry. */
const setAside = allLeadTo('park', {
  EntryUnreadable: {
    when: 'Postgres fails on one row, while it reads others: damage on the disk, more than 1 GB as text, a text that is not valid in its encoding',
    what: 'that entry is parked; it keeps its sequence number',
    advice: 'Have the row repaired in audit.entries, then replay the entry.',
    testTitle: 'The entry cannot be read',
  },
  EntryTooLarge: {
    when: 'a row has more than 32 MiB as text, which a number such as `1e131071` makes of a few bytes',
    what: 'the same; it is never read into memory',
    advice: 'Find out what writes entries of this size: they can only be read in the table.',
    testTitle: 'The entry is too large',
  },
  EntryMissing: {
    when: 'a replay finds the row of a parked entry gone',
    what: 'it stays parked, and is no longer asked for',
    advice: 'Have the row restored in audit.entries, then replay the entry.',
    testTitle: 'The entry is gone',
  },
});

/** What no request fails with: the collector or its database. */
const collector = {
  DatabaseUnavailable: {
    when: 'Postgres cannot be used, or the lease could not be renewed: nothing is known of new entries',
    reaction: 'retry',
    advice: 'Nothing is lost, and the collector tries again automatically. If it lasts, tell its operator.',
    more: 'The message says what to look at.',
  },
  DatabaseNotPrimary: {
    when: 'a read was answered by a standby, or by a server that is behind',
    reaction: 'retry',
    advice: 'Nothing is lost, but it will not pass until the operator of the collector acts.',
    more: 'Switch off load balancing of reads in the pooler, or point `DATABASE_URL` to the primary.',
  },
  StreamRestarted: {
    when: 'the row in `audit.streams` was gone; it was made again by `startFrom`',
    reaction: 'go-on',
    what: 'delivery continues; the reason stays in `lastError`',
    advice:
      'Compare the receiver with the table around that time. To send entries again, add an export that starts from then.',
  },
  Unclaimed: {
    when: 'for 15 s no replica has taken the export, though every one may',
    reaction: 'hold',
    advice:
      'Have the operator of the collector look for a long transaction on audit.streams, and at the logs of the replicas.',
  },
  InternalError: {
    when: 'a defect of the collector keeps one export from continuing',
    reaction: 'hold',
    advice: 'Report it, with the error that the log of the collector has.',
  },
} as const satisfies Rows<ReasonRow>;

/** What is wrong with a manifest or what it refers to. The advice is for the docs, in Markdown: each problem says its own way out. */
const config = {
  InvalidSpec: {
    when: 'the manifest is wrong',
    reaction: 'last-good',
    advice: 'Fix what the message names, all of it at once.',
  },
  SecretNotFound: {
    when: 'a Secret that the manifest names is missing',
    reaction: 'last-good',
    advice: 'Create the Secret.',
  },
  SecretKeyNotFound: {
    when: 'the Secret lacks the key',
    reaction: 'last-good',
    advice: 'Add the key to the Secret.',
  },
  InvalidSecret: {
    when: 'the value cannot be used, such as a header with a line break',
    reaction: 'last-good',
    advice: 'Correct the value in the Secret.',
  },
  SecretNotAllowed: {
    when: 'a Secret does not agree to being sent there, is of a type that is never sent, or is one that the collector runs on',
    reaction: 'forbid',
    what: 'nothing is exported, even if it was before; entries are kept',
    advice: '[Have the Secret allow it](security.md#secrets-of-the-cluster), or use another one.',
  },
  OrganizationNotAllowed: {
    when: 'the namespace may not export that organization (`NAMESPACE_ORGANIZATIONS`)',
    reaction: 'forbid',
    advice: 'Use a namespace that may export the organization, or have it allowed.',
  },
  TooManyConfigs: {
    when: 'the namespace has more AuditExportConfigs than `MAX_CONFIGS_PER_NAMESPACE`',
    reaction: 'forbid',
    what: 'the oldest are used, the others export nothing',
    advice: 'Delete AuditExportConfigs that nobody needs, or have the limit raised.',
  },
  TooManySecrets: {
    when: 'it refers to more Secrets than `MAX_SECRETS_PER_CONFIG`, or the namespace to more than `MAX_SECRETS_PER_NAMESPACE`',
    reaction: 'forbid',
    what: 'the oldest configs are used, the others export nothing',
    advice: 'Put values into fewer Secrets, as several keys of one, or have the limit raised.',
  },
} as const satisfies Rows<ReasonRow>;

/** Reasons of Events about a config that runs; its status has the message too. The advice is for the docs, in Markdown. */
const remark = {
  SecretConsentMissing: {
    when: 'a Secret does not say that it agrees to being sent there, and `SECRET_CONSENT` does not require it',
    reaction: 'go-on',
    what: 'the Secret is used',
    advice: '[Have the Secret allow it](security.md#secrets-of-the-cluster).',
  },
  FormerEntriesLeft: {
    when: 'a former config of the same namespace, name and organization has left entries undelivered, such as before `kubectl replace --force`',
    reaction: 'go-on',
    what: 'this config delivers by its own `startFrom`',
    advice:
      'Set the annotation `auditexport.dev/take-over` to `true` to deliver them, or to `false` if nobody wants them.',
    more: '[A config that replaces another](operations.md#a-config-that-replaces-another).',
  },
  DatabaseSetBack: {
    when: 'the ledger of the organization in the database is not the one that a status or its own last checkpoint names: the database was set back, such as by a restore or a failover that lost commits, or somebody has changed it',
    reaction: 'go-on',
    what: 'entries are delivered; none is sealed or signed any more for the organization',
    advice:
      'Find out why, and keep what the receivers have of that time. Then have the owner of the schema begin a new ledger with `select audit.restart_ledger(ORGANIZATION, REASON)`.',
    more: '[When a database was set back](runbook.md#auditlogsetback).',
  },
  ReplayNotUnderstood: {
    when: 'the annotation `auditexport.dev/replay` names no range of time, or one that cannot be sent',
    reaction: 'go-on',
    what: 'new entries are delivered, and nothing is sent again',
    advice: 'Write `FROM/UNTIL`, such as `2026-11-01T00:00:00Z/2026-11-02T00:00:00Z`.',
    more: '[Sending a range again](operations.md#sending-a-range-again).',
  },
  Terminating: {
    when: 'the config was deleted, and a finalizer keeps it',
    reaction: 'go-on',
    what: 'entries are delivered until it is gone',
    advice: 'Have the finalizer removed, or set `spec.suspend`.',
  },
} as const satisfies Rows<ReasonRow>;

/** By what they are about, in the order of the docs. */
export const reasonGroups = {
  calm,
  retrying,
  holding,
  disliked,
  rejected,
  setAside,
  collector,
  config,
  remark,
};

/** What one attempt can fail with, as the kind of its outcome says. */
export const attemptReasons = { ...retrying, ...holding, ...disliked };
export type AttemptReason = keyof typeof attemptReasons;

/** What a delivery or one entry of it can fail with: also the reason label of the metrics of requests. */
export const failureReasons = { ...attemptReasons, ...rejected, ...setAside };
export type FailureReason = keyof typeof failureReasons;

/** What a stream can stand still for, or have as its last error. */
export type StreamReason = FailureReason | keyof typeof collector;
export type ConfigReason = keyof typeof config;
export type RemarkReason = keyof typeof remark;
/** What a condition can give. */
export type ConditionReason = keyof typeof calm | StreamReason | ConfigReason;

const failures: Readonly<Record<string, ReasonRow | undefined>> = { ...failureReasons, ...collector };

/** What a person does about a failure of a stream; empty for a reason that only another version knows. */
export function adviceFor(reason: string): string {
  return failures[reason]?.advice ?? '';
}

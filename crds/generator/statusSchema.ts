/** The schema of `status`. Every field of ExportStatus is here, and no other: the type says so. */
import type {
  Condition,
  ExportStatus,
  LastError,
  LedgerStatus,
  ReplayState,
  ReplayStatus,
} from '../../src/model/streamStatus.ts';
import type { StructuralSchema } from './structuralSchema.ts';

type Fields<T> = { readonly [Name in keyof Required<T>]: StructuralSchema };

const reason: StructuralSchema = {
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  // The limits of metav1.Condition.
  pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
};
const message: StructuralSchema = { type: 'string', maxLength: 32_768 };
const time = (description: string): StructuralSchema => ({
  description,
  type: 'string',
  format: 'date-time',
});
const counter = (description: string): StructuralSchema => ({
  description,
  type: 'integer',
  format: 'int64',
  minimum: 0,
});

const conditionSchema: Fields<Condition> = {
  type: {
    description:
      'Ready: entries get through; Unknown until the receiver has accepted one. Stalled: a person has to change something first. Reconciling: the export is starting, or retries automatically. The last two are present only while True.',
    type: 'string',
    minLength: 1,
    maxLength: 316,
  },
  status: { description: 'True, False or Unknown.', type: 'string', enum: ['True', 'False', 'Unknown'] },
  reason: { ...reason, description: 'Why, in one CamelCase word, for scripts.' },
  message: { ...message, description: 'What happened and what to do, in a few sentences.' },
  lastTransitionTime: time('When status last changed.'),
  observedGeneration: {
    description: 'The metadata.generation that this describes.',
    type: 'integer',
    format: 'int64',
    minimum: 0,
  },
};

const lastError: Fields<LastError> = {
  time: time('When it happened.'),
  reason: { ...reason, description: 'Why, in one CamelCase word; the reasons of the Ready condition.' },
  message: { ...message, description: 'What happened, in a sentence or two.' },
  httpStatus: {
    description: "Status of the receiver's answer; absent when there was none.",
    type: 'integer',
    format: 'int32',
    minimum: 100,
    maximum: 999,
  },
  resolvedTime: time('When entries got through again; absent while the error stands.'),
};

const ledger: Fields<LedgerStatus> = {
  origin: { description: 'Which ledger: LEDGER_NAME/ID.', type: 'string', minLength: 1, maxLength: 300 },
  size: counter('Sealed entries.'),
  root: { description: 'The root of their Merkle tree, in base64.', type: 'string', maxLength: 64 },
  time: time('When the collector wrote it; nothing signs this.'),
};

const replay: Fields<ReplayStatus> = {
  id: { description: 'What its records carry as audit.replay.id.', type: 'string', maxLength: 64 },
  from: time('Entries that occurred from this time on are sent once more.'),
  until: time('Entries that occurred before this time are sent once more.'),
  state: {
    description:
      'Waiting: new entries and earlier replays go first. Sending. Failing: the receiver takes none of it at present; it is tried again. Done. Canceled.',
    type: 'string',
    enum: ['Waiting', 'Sending', 'Failing', 'Done', 'Canceled'] satisfies ReplayState[],
  },
  sentEntries: counter('Entries that the receiver has accepted in this replay.'),
  totalEntries: counter('Entries of the range, counted when it began; absent while unknown.'),
  message: { ...message, description: 'What it has come to, in a few sentences.' },
  endTime: time('When it ended; absent until then.'),
};

const statusZod: Fields<ExportStatus> = {
  observedGeneration: {
    description:
      'The metadata.generation that this status describes; -1 before the collector has seen the config.',
    type: 'integer',
    format: 'int64',
    minimum: -1,
  },
  resolvedEndpoint: {
    description: 'The URL that entries are posted to, without its query.',
    type: 'string',
    // The endpoint's 2048 and /v1/logs.
    maxLength: 4096,
  },
  conditions: {
    description: 'How the export is doing.',
    type: 'array',
    maxItems: 16,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
    items: {
      type: 'object',
      description: 'One aspect of how the export is doing.',
      properties: conditionSchema,
      required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    },
  },
  lastError: {
    description: 'The latest failure. It stays after recovery, then with resolvedTime.',
    type: 'object',
    properties: lastError,
    required: ['time', 'reason', 'message'],
  },
  lastDeliveryTime: time(
    'When the receiver last accepted entries; written every 30 seconds at most, and with every change of a condition.',
  ),
  deliveredEntries: counter('Entries that the receiver has accepted.'),
  pendingEntries: counter('Entries that are not delivered yet.'),
  parkedEntries: counter(
    'Entries that the receiver refused for good or that cannot be read: kept, counted, and replayed on demand.',
  ),
  rejectedEntries: counter(
    'Entries that the receiver said it did not keep, in a partial success that does not say which. Absent while zero.',
  ),
  oldestPendingTime: time(
    'When the oldest entry that is not delivered yet occurred; absent when there is none.',
  ),
  ledger: {
    description:
      "The latest checkpoint of the organization's ledger. The collector compares it with the database: one that was set back is found.",
    type: 'object',
    properties: ledger,
    required: ['origin', 'size', 'root', 'time'],
  },
  replay: {
    description: 'The latest replay of a range, for 30 days after its end.',
    type: 'object',
    properties: replay,
    required: ['id', 'from', 'until', 'state', 'sentEntries', 'message'],
  },
  lastHandledReconcileAt: {
    description: 'The value of the annotation auditexport.dev/reconcile-at that the collector last acted on.',
    type: 'string',
    // All annotations of an object together may have 256 KiB.
    maxLength: 262_144,
  },
};

export const statusJsonSchema: StructuralSchema = {
  description: 'How the export is doing, written by the collector.',
  type: 'object',
  // Tools that wait for observedGeneration to catch up (kstatus) see a new object as in progress.
  default: { observedGeneration: -1 },
  properties: statusZod,
};

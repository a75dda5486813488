/**
 * Records per second of our encoder divided by those of @opentelemetry/otlp-transformer, the encoder of the OpenTelemetry JS
 * SDK, from the same starting point: the text of the metadata column as Postgres sends it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Entry, StreamIdentity } from '../src/model/entry.ts';
import { RequestWriter } from '../src/otlp/encode/request.ts';
import { decodeRequest, toJson } from '../tools/otlp/otlpProto.ts';

const dataFolder = new URL('../../shared/data/cloudtrail.ndjson.gz', import.meta.url);
const batchRecords = 1000;
/** Not counted: a collector runs for weeks, so its code is compiled. */
const warmUpRounds = 10;
const rounds = 15;
const observedAtMicros = 1_790_000_000_000_000;

const identity: StreamIdentity = {
  serviceName: 'audit-export',
  organization: '123837392027',
  streamId: 'directory/flows/acme-siem',
  version: '0.1.0',
};

interface Figure {
  figure: string;
  ratio: number;
  goal: string;
  detail: string;
}

/** @throws Error if the data file is missing, or the two encoders do not produce the same records. */
export async function benchEncoder(): Promise<Figure[]> {
  const entries = loadEntries();
  verifyEqual(entries);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -warmUpRounds; round < rounds; round++) {
    const our = recordsPerSecond(entries, encodeOurs);
    const their = recordsPerSecond(entries, encodeTheirs);
    if (round < 0) continue;
    ours.push(our);
    theirs.push(their);
  }
  const ratio = median(ours) / median(theirs);
  return [
    {
      figure: 'encode: records/s against otlp-transformer',
      ratio,
      goal: '≥ 2.5',
      detail: `${thousands(median(ours))} against ${thousands(median(theirs))} thousand records/s, batches of ${batchRecords}, median of ${rounds} rounds`,
    },
  ];
}

function recordsPerSecond(
  entries: readonly Entry[],
  encode: (batch: readonly Entry[]) => Uint8Array,
): number {
  const started = performance.now();
  let bytes = 0;
  for (let at = 0; at < entries.length; at += batchRecords) {
    bytes += encode(entries.slice(at, at + batchRecords)).length;
  }
  const seconds = (performance.now() - started) / 1000;
  if (bytes === 0) throw new Error('nothing was encoded');
  return entries.length / seconds;
}

function encodeOurs(batch: readonly Entry[]): Uint8Array {
  const writer = new RequestWriter(identity);
  for (const entry of batch) {
    writer.append(entry, { sequence: Number(entry.id), observedAtMicros: observedAtMicros });
  }
  return writer.request();
}

const resource = resourceFromAttributes({
  'service.name': identity.serviceName,
  'audit.organization.id': identity.organization,
});
const scope = { name: 'audit-export', version: identity.version };

function encodeTheirs(batch: readonly Entry[]): Uint8Array {
  const bytes = ProtobufLogsSerializer.serializeRequest(batch.map(toReadableLogRecord));
  if (bytes === undefined) throw new Error('otlp-transformer gave no bytes');
  return bytes;
}

function toReadableLogRecord(entry: Entry): ReadableLogRecord {
  const micros = entry.occurredAtMicros;
  const uid = Buffer.from(entry.uid).toString('hex');
  const eventType = textOf(entry.eventType);
  return {
    hrTime: [Math.floor(micros / 1e6), (micros % 1e6) * 1000],
    hrTimeObserved: [Math.floor(observedAtMicros / 1e6), (observedAtMicros % 1e6) * 1000],
    severityNumber: SeverityNumber.INFO,
    body: JSON.parse(textOf(entry.metadata)),
    eventName: eventType,
    resource: resource,
    instrumentationScope: scope,
    attributes: {
      'log.record.uid': `${uid.slice(0, 8)}-${uid.slice(8, 12)}-${uid.slice(12, 16)}-${uid.slice(16, 20)}-${uid.slice(20)}`,
      'audit.stream.id': identity.streamId,
      'audit.entry.id': Number(entry.id),
      'audit.sequence.number': Number(entry.id),
      'audit.event.type': eventType,
      ...(entry.actorId === null ? {} : { 'user.id': textOf(entry.actorId) }),
      ...(entry.actorName === null ? {} : { 'user.name': textOf(entry.actorName) }),
      'audit.session.type': textOf(entry.sessionType),
      ...(entry.project === null ? {} : { 'audit.project.id': textOf(entry.project) }),
    },
    droppedAttributesCount: 0,
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** Both encoders must produce the same records, or the ratio means nothing. */
function verifyEqual(entries: readonly Entry[]): void {
  for (let at = 0; at < entries.length; at += batchRecords) {
    const batch = entries.slice(at, at + batchRecords);
    const ours = decodeRequest(encodeOurs(batch)).records;
    const theirs = decodeRequest(encodeTheirs(batch)).records;
    if (ours.length !== batch.length || theirs.length !== batch.length)
      throw new Error('a record is missing');
    for (const [index, record] of ours.entries()) {
      const other = theirs[index];
      const same =
        record.timeUnixNano === other?.timeUnixNano &&
        record.observedTimeUnixNano === other.observedTimeUnixNano &&
        record.eventName === other.eventName &&
        isDeepStrictEqual(record.attributes, other.attributes) &&
        isDeepStrictEqual(toJson(record.body), toJson(other.body));
      if (!same) throw new Error(`record ${at + index} differs between the encoders`);
    }
  }
}

/** Entries as the database code passes them on: every column a slice of the bytes from the wire, as jsonb spells it. */
function loadEntries(): Entry[] {
  if (!existsSync(dataFolder))
    throw new Error(`${dataFolder.pathname} is missing: the benchmark needs its events`);
  const lines = gunzipSync(readFileSync(dataFolder)).toString().trim().split('\n');
  return lines.map((line, index) => {
    const event = JSON.parse(line);
    const uid = Buffer.alloc(16);
    for (let i = 0; i < 16; i++) uid[i] = (index * 2654435761 + i * 40503) >>> (i % 4);
    return {
      xid: BigInt(1000 + index),
      id: BigInt(index + 1),
      uid,
      eventType: Buffer.from(event.eventType),
      actorId: event.actor?.id ? Buffer.from(event.actor.id) : null,
      actorName: event.actor?.name ? Buffer.from(event.actor.name) : null,
      sessionType: Buffer.from(event.actor?.sessionType ?? 'user'),
      project: event.project ? Buffer.from(event.project) : null,
      metadata: Buffer.from(jsonbText(event.metadata)),
      occurredAtMicros: Date.parse(event.occurredAt) * 1000 + (index % 1000),
    };
  });
}

/** JSON as jsonb prints it: keys by length, then bytes; one space after `:` and `,`. */
function jsonbText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, item]) => ({ key: Buffer.from(key), item }));
  members.sort((a, b) => a.key.length - b.key.length || Buffer.compare(a.key, b.key));
  return `{${members.map(({ key, item }) => `${JSON.stringify(key.toString())}: ${jsonbText(item)}`).join(', ')}}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function thousands(value: number): string {
  return (value / 1000).toFixed(0);
}

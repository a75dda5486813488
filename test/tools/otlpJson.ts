/** Reads an ExportLogsServiceRequest in OTLP/JSON (SPEC "JSON Protobuf Encoding"): what a Collector forwards. */
import type { AnyValue, DecodedRecord, DecodedRequest } from '../../tools/otlp/otlpProto.ts';

interface JsonAnyValue {
  stringValue?: string;
  boolValue?: boolean;
  /** 64-bit integers are decimal strings. */
  intValue?: string | number;
  doubleValue?: number | string;
  arrayValue?: { values?: JsonAnyValue[] };
  kvlistValue?: { values?: JsonKeyValue[] };
  bytesValue?: string;
}
interface JsonKeyValue {
  /** Left out when it is empty, as proto3 JSON does with defaults. */
  key?: string;
  value?: JsonAnyValue;
}
interface JsonRecord {
  timeUnixNano?: string;
  observedTimeUnixNano?: string;
  severityNumber?: number;
  eventName?: string;
  attributes?: JsonKeyValue[];
  body?: JsonAnyValue;
}
interface JsonRequest {
  resourceLogs?: Array<{
    resource?: { attributes?: JsonKeyValue[] };
    scopeLogs?: Array<{ scope?: { name?: string; version?: string }; logRecords?: JsonRecord[] }>;
  }>;
}

/** One text for each record, in the order of `decodeJsonRequest`: equal texts are equal records. */
export function recordTexts(body: Uint8Array): string[] {
  const { resourceLogs = [] } = JSON.parse(Buffer.from(body).toString()) as JsonRequest;
  return resourceLogs
    .flatMap((resource) => resource.scopeLogs ?? [])
    .flatMap((scope) => scope.logRecords ?? [])
    .map((record) => JSON.stringify(record));
}

/** Resource and scope are those of the first group; the records are those of all. @throws on a repeated key. */
export function decodeJsonRequest(body: Uint8Array): DecodedRequest {
  const { resourceLogs = [] } = JSON.parse(Buffer.from(body).toString()) as JsonRequest;
  const scopes = resourceLogs.flatMap((resource) => resource.scopeLogs ?? []);
  return {
    resource: toMap(resourceLogs[0]?.resource?.attributes),
    scope: { name: scopes[0]?.scope?.name ?? '', version: scopes[0]?.scope?.version ?? '' },
    records: scopes.flatMap((scope) => scope.logRecords ?? []).map(toRecord),
  };
}

function toRecord(raw: JsonRecord): DecodedRecord {
  const attributes = toMap(raw.attributes);
  return {
    timeUnixNano: BigInt(raw.timeUnixNano ?? 0),
    observedTimeUnixNano: BigInt(raw.observedTimeUnixNano ?? 0),
    severityNumber: raw.severityNumber ?? 0,
    eventName: raw.eventName ?? '',
    attributes,
    body: toValue(raw.body),
    uid: String(attributes.get('log.record.uid') ?? ''),
    sequence: Number(attributes.get('audit.sequence.number') ?? 0),
  };
}

function toValue(raw: JsonAnyValue | undefined): AnyValue {
  if (raw?.stringValue !== undefined) return raw.stringValue;
  if (raw?.boolValue !== undefined) return raw.boolValue;
  if (raw?.intValue !== undefined) return BigInt(raw.intValue);
  if (raw?.doubleValue !== undefined) return Number(raw.doubleValue);
  if (raw?.arrayValue !== undefined) return (raw.arrayValue.values ?? []).map(toValue);
  if (raw?.kvlistValue !== undefined) return toMap(raw.kvlistValue.values);
  if (raw?.bytesValue !== undefined) return new Uint8Array(Buffer.from(raw.bytesValue, 'base64'));
  return null;
}

function toMap(members: readonly JsonKeyValue[] = []): Map<string, AnyValue> {
  const map = new Map<string, AnyValue>();
  for (const { key = '', value } of members) {
    if (map.has(key)) throw new Error(`key ${JSON.stringify(key)} is repeated`);
    map.set(key, toValue(value));
  }
  return map;
}

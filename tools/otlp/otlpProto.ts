/**
 * Reads an ExportLogsServiceRequest with protobufjs, from the published field numbers: the reference for the encoder, for
 * tests, benchmarks and sample receivers. As strict as the standard: a string that is not UTF-8, a repeated key
 * and messages nested deeper than 100 are errors.
 */
import protobuf from 'protobufjs';

/** An AnyValue. Integers are bigint, decimals number, so that neither can be mistaken for the other. */
export type AnyValue =
  | null
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | AnyValue[]
  | Map<string, AnyValue>;

export interface DecodedRecord {
  readonly timeUnixNano: bigint;
  readonly observedTimeUnixNano: bigint;
  readonly severityNumber: number;
  readonly eventName: string;
  readonly attributes: Map<string, AnyValue>;
  readonly body: AnyValue;
  /** Attribute `log.record.uid`, empty when absent. */
  readonly uid: string;
  /** Attribute `audit.sequence.number`, 0 when absent. */
  readonly sequence: number;
}

export interface DecodedRequest {
  readonly resource: Map<string, AnyValue>;
  readonly scope: { readonly name: string; readonly version: string };
  readonly records: DecodedRecord[];
}

/** Strings are declared as bytes, which are the same on the wire, because the decoder would repair invalid UTF-8 and hide it. */
const descriptor: protobuf.INamespace = {
  nested: {
    ExportLogsServiceRequest: message({ resourceLogs: [1, 'ResourceLogs', 'repeated'] }),
    ResourceLogs: message({
      resource: [1, 'Resource'],
      scopeLogs: [2, 'ScopeLogs', 'repeated'],
      schemaUrl: [3, 'bytes'],
    }),
    Resource: message({ attributes: [1, 'KeyValue', 'repeated'], droppedAttributesCount: [2, 'uint32'] }),
    ScopeLogs: message({
      scope: [1, 'Scope'],
      logRecords: [2, 'LogRecord', 'repeated'],
      schemaUrl: [3, 'bytes'],
    }),
    Scope: message({
      name: [1, 'bytes'],
      version: [2, 'bytes'],
      attributes: [3, 'KeyValue', 'repeated'],
      droppedAttributesCount: [4, 'uint32'],
    }),
    LogRecord: message({
      timeUnixNano: [1, 'fixed64'],
      severityNumber: [2, 'int32'],
      severityText: [3, 'bytes'],
      body: [5, 'AnyValue'],
      attributes: [6, 'KeyValue', 'repeated'],
      droppedAttributesCount: [7, 'uint32'],
      flags: [8, 'fixed32'],
      traceId: [9, 'bytes'],
      spanId: [10, 'bytes'],
      observedTimeUnixNano: [11, 'fixed64'],
      eventName: [12, 'bytes'],
    }),
    KeyValue: message({ key: [1, 'bytes'], value: [2, 'AnyValue'] }),
    AnyValue: {
      ...message({
        stringValue: [1, 'bytes'],
        boolValue: [2, 'bool'],
        intValue: [3, 'int64'],
        doubleValue: [4, 'double'],
        arrayValue: [5, 'ArrayValue'],
        kvlistValue: [6, 'KeyValueList'],
        bytesValue: [7, 'bytes'],
      }),
      oneofs: {
        value: {
          oneof: [
            'stringValue',
            'boolValue',
            'intValue',
            'doubleValue',
            'arrayValue',
            'kvlistValue',
            'bytesValue',
          ],
        },
      },
    },
    ArrayValue: message({ values: [1, 'AnyValue', 'repeated'] }),
    KeyValueList: message({ values: [1, 'KeyValue', 'repeated'] }),
  },
};

type Field = [id: number, type: string, rule?: 'repeated'];

function message(fields: Record<string, Field>): protobuf.IType {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [
        name,
        rule ? { id, type, rule } : { id, type },
      ]),
    ),
  };
}

interface Int64 {
  toString(): string;
}
interface RawAnyValue {
  /** Name of the field that is set, absent for null. */
  value?: string;
  stringValue: Uint8Array;
  boolValue: boolean;
  intValue: Int64;
  doubleValue: number;
  arrayValue: { values: RawAnyValue[] };
  kvlistValue: { values: RawKeyValue[] };
  bytesValue: Uint8Array;
}
interface RawKeyValue {
  key: Uint8Array;
  value: RawAnyValue | null;
}
interface RawRecord {
  timeUnixNano: Int64;
  observedTimeUnixNano: Int64;
  severityNumber: number;
  eventName: Uint8Array;
  attributes: RawKeyValue[];
  body: RawAnyValue | null;
}
interface RawRequest {
  resourceLogs: Array<{
    resource: { attributes: RawKeyValue[] } | null;
    scopeLogs: Array<{ scope: { name: Uint8Array; version: Uint8Array } | null; logRecords: RawRecord[] }>;
  }>;
}

let requestType: protobuf.Type | undefined;

/** @throws if the bytes are not a request with exactly one resource and one scope, or break one of the rules above. */
export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  requestType ??= protobuf.Root.fromJSON(descriptor).lookupType('ExportLogsServiceRequest');
  const { resourceLogs } = requestType.decode(bytes) as unknown as RawRequest;
  const [resource, ...otherResources] = resourceLogs;
  const [scope, ...otherScopes] = resource?.scopeLogs ?? [];
  if (!resource || !scope || otherResources.length + otherScopes.length > 0) {
    throw new Error('expected one ResourceLogs with one ScopeLogs');
  }
  return {
    resource: toMap(resource.resource?.attributes ?? []),
    scope: { name: toText(scope.scope?.name), version: toText(scope.scope?.version) },
    records: scope.logRecords.map(toRecord),
  };
}

function toRecord(raw: RawRecord): DecodedRecord {
  const attributes = toMap(raw.attributes);
  const uid = attributes.get('log.record.uid');
  return {
    timeUnixNano: BigInt(raw.timeUnixNano.toString()),
    observedTimeUnixNano: BigInt(raw.observedTimeUnixNano.toString()),
    severityNumber: raw.severityNumber,
    eventName: toText(raw.eventName),
    attributes,
    body: toValue(raw.body),
    uid: typeof uid === 'string' ? uid : '',
    sequence: Number(attributes.get('audit.sequence.number') ?? 0),
  };
}

function toValue(raw: RawAnyValue | null): AnyValue {
  if (raw === null) return null;
  switch (raw.value) {
    case undefined:
      return null;
    case 'stringValue':
      return toText(raw.stringValue);
    case 'boolValue':
      return raw.boolValue;
    case 'intValue':
      return BigInt(raw.intValue.toString());
    case 'doubleValue':
      return raw.doubleValue;
    case 'arrayValue':
      return raw.arrayValue.values.map(toValue);
    case 'kvlistValue':
      return toMap(raw.kvlistValue.values);
    default:
      return raw.bytesValue;
  }
}

function toMap(members: RawKeyValue[]): Map<string, AnyValue> {
  const map = new Map<string, AnyValue>();
  for (const member of members) {
    const key = toText(member.key);
    if (map.has(key)) throw new Error(`key ${JSON.stringify(key)} is repeated`);
    map.set(key, toValue(member.value));
  }
  return map;
}

/** An absent or empty field, of any type, is an empty array. */
function toText(bytes: Uint8Array | undefined): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes ?? []));
}

/** The value as JSON.parse would return it: integers become numbers, maps objects. Only for values that numbers hold exactly. */
export function toJson(value: AnyValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, toJson(item)]));
  return value;
}

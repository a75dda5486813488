/**
 * An entry's fingerprint as a receiver builds it: from the decoded record, by protobufjs and the published field numbers, with none of the
 * product's code. For tests of `src/ledger/fingerprint.ts`.
 */
import { createHash } from 'node:crypto';
import protobuf from 'protobufjs';
import type { AnyValue, DecodedRecord } from './otlpProto.ts';

const { root } = protobuf.parse(`
  syntax = "proto3";
  message AnyValue {
    oneof value {
      string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
      ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message LogRecord { fixed64 time_unix_nano = 1; AnyValue body = 5; repeated KeyValue attributes = 6; string event_name = 12; }
`);
const logRecord = root.lookupType('LogRecord');

const ownAttributes = [
  'log.record.uid',
  'audit.entry.id',
  'audit.event.type',
  'user.id',
  'user.name',
  'audit.session.type',
  'audit.project.id',
];

/** The bytes under the fingerprint. */
export function officialBytes(record: DecodedRecord): Uint8Array {
  const own = ownAttributes.filter((key) => record.attributes.has(key));
  return logRecord
    .encode({
      ...(record.timeUnixNano !== 0n && { timeUnixNano: longOf(record.timeUnixNano) }),
      body: anyValueOf(record.body),
      attributes: own.map((key) => memberOf(key, record.attributes.get(key) ?? null)),
      ...(record.eventName !== '' && { eventName: record.eventName }),
    })
    .finish();
}

export function officialFingerprint(record: DecodedRecord): Buffer {
  return createHash('sha256').update(officialBytes(record)).digest();
}

/** protobufjs writes an empty string that is set; official classes of proto3 leave it out. */
function memberOf(key: string, value: AnyValue): object {
  return { ...(key !== '' && { key }), value: anyValueOf(value) };
}

function anyValueOf(value: AnyValue): object {
  if (value === null) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'bigint') return { intValue: longOf(value) };
  if (typeof value === 'number') return { doubleValue: value === 0 ? 0 : value };
  if (value instanceof Uint8Array) return { bytesValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValueOf) } };
  const members = [...value].map(([key, member]) => ({ key, utf8: Buffer.from(key), member }));
  members.sort((a, b) => a.utf8.length - b.utf8.length || Buffer.compare(a.utf8, b.utf8));
  return { kvlistValue: { values: members.map(({ key, member }) => memberOf(key, member)) } };
}

function longOf(value: bigint): { low: number; high: number; unsigned: boolean } {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}

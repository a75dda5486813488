/** Entries for tests of the encoder. */
import type { Entry, StreamIdentity } from '../../src/model/entry.ts';
import { RequestWriter } from '../../src/otlp/encode/request.ts';
import { type AnyValue, type DecodedRecord, decodeRequest } from './otlpProto.ts';

export const identity: StreamIdentity = {
  serviceName: 'audit-export',
  organization: 'acme',
  streamId: 'directory/flows/acme-siem',
  version: '0.1.0',
};

export function makeEntry(overrides: Partial<Entry> = {}): Entry {
  return {
    xid: 700n,
    id: 1n,
    uid: Buffer.from('0f8fad5bd9cb469fa16570867728950e', 'hex'),
    eventType: Buffer.from('flow.created'),
    actorId: Buffer.from('u-17'),
    actorName: Buffer.from('Ada'),
    sessionType: Buffer.from('api_key'),
    project: Buffer.from('web'),
    metadata: Buffer.from('{"flowId": 42}'),
    occurredAtMicros: 1_784_000_000_123_456,
    ...overrides,
  };
}

/** The record an entry becomes, read back. */
export function encodeAndDecode(entry: Entry): DecodedRecord {
  const writer = new RequestWriter(identity, 0); // not a byte more than the writers reserve
  writer.append(entry, { sequence: 1, observedAtMicros: 1_784_000_001_000_000 });
  const [record] = decodeRequest(writer.request()).records;
  if (!record) throw new Error('the request holds no record');
  return record;
}

/** The body of an entry with this metadata. */
export function bodyOf(metadata: string | Uint8Array): AnyValue {
  return encodeAndDecode(makeEntry({ metadata: Buffer.from(metadata) })).body;
}

/** A value on one line, such that two values have the same line only when they are the same in type, order and bits. */
export function spell(value: AnyValue): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return `double(${Object.is(value, -0) ? '-0' : value})`;
  if (typeof value === 'bigint') return `int(${value})`;
  if (value instanceof Uint8Array) return `bytes(${Buffer.from(value).toString('hex')})`;
  if (Array.isArray(value)) return `[${value.map(spell).join(',')}]`;
  if (value instanceof Map)
    return `{${[...value].map(([k, v]) => `${JSON.stringify(k)}:${spell(v)}`).join(',')}}`;
  return JSON.stringify(value);
}

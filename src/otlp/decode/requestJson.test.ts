import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AnyValue, decodeRequest } from '../../../tools/otlp/otlpProto.ts';
import { identity, makeEntry, spell } from '../../../tools/otlp/testEntries.ts';
import type { Entry } from '../../model/entry.ts';
import { RequestWriter } from '../encode/request.ts';
import { requestToJson } from './requestJson.ts';

interface JsonValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number | string;
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values: readonly JsonValue[] };
  readonly kvlistValue?: { readonly values: readonly JsonPair[] };
}
interface JsonPair {
  readonly key: string;
  readonly value: JsonValue;
}
interface JsonRequest {
  readonly resourceLogs: ReadonlyArray<{
    readonly resource: { readonly attributes: readonly JsonPair[] };
    readonly scopeLogs: ReadonlyArray<{
      readonly scope: { readonly name: string; readonly version: string };
      readonly logRecords: ReadonlyArray<
        Readonly<Record<'timeUnixNano' | 'observedTimeUnixNano' | 'eventName', string>> & {
          readonly severityNumber: number;
          readonly body: JsonValue;
          readonly attributes: readonly JsonPair[];
        }
      >;
    }>;
  }>;
}

/** What a receiver reads from OTLP/JSON. */
function toValue(value: JsonValue): AnyValue {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return BigInt(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.bytesValue !== undefined) return new Uint8Array(Buffer.from(value.bytesValue, 'base64'));
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(toValue);
  return value.kvlistValue === undefined ? null : toMap(value.kvlistValue.values);
}

function toMap(pairs: readonly JsonPair[]): Map<string, AnyValue> {
  return new Map(pairs.map(({ key, value }) => [key, toValue(value)]));
}

function expectEqual(...entries: Entry[]): void {
  const writer = new RequestWriter(identity, 0);
  entries.forEach((entry, n) => {
    writer.append(entry, { sequence: n + 1, observedAtMicros: 1_784_000_001_000_000 });
  });
  const bytes = writer.request();
  const sent = decodeRequest(bytes);
  const [resourceLogs] = (JSON.parse(JSON.stringify(requestToJson(bytes))) as JsonRequest).resourceLogs;
  const [scopeLogs] = resourceLogs?.scopeLogs ?? [];
  expect(spell(toMap(resourceLogs?.resource.attributes ?? []))).toBe(spell(sent.resource));
  expect(scopeLogs?.scope).toEqual(sent.scope);
  expect(scopeLogs?.logRecords.length).toBe(sent.records.length);
  sent.records.forEach((record, n) => {
    const shown = scopeLogs?.logRecords[n];
    expect(shown).toMatchObject({
      timeUnixNano: String(record.timeUnixNano),
      observedTimeUnixNano: String(record.observedTimeUnixNano),
      severityNumber: record.severityNumber,
      eventName: record.eventName,
    });
    expect(spell(toMap(shown?.attributes ?? []))).toBe(spell(record.attributes));
    expect(spell(toValue(shown?.body ?? {}))).toBe(spell(record.body));
  });
}

it('says in OTLP/JSON what the encoder writes, to the last value', () => {
  const metadata =
    '{"": "", "no": false, "zero": 0, "min": -9223372036854775808, "huge": 123456789012345678901234567890, "half": 0.5, "big": 1e300, "none": null, "list": [[], {}, null, "ä\u2028\ud83d\ude00"]}';
  expectEqual(
    makeEntry({ metadata: Buffer.from(metadata) }),
    // A database in SQL_ASCII holds text that is not UTF-8.
    makeEntry({ id: 2n ** 62n, actorId: Buffer.from([0xff, 0x41]), actorName: null, project: null }),
  );
});

it('does so for any payload', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      expectEqual(makeEntry({ metadata: Buffer.from(JSON.stringify({ value })) }));
    }),
    { numRuns: 200 },
  );
});

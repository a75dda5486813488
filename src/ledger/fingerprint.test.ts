import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { officialBytes, officialFingerprint } from '../../tools/otlp/officialFingerprint.ts';
import { encodeAndDecode, makeEntry } from '../../tools/otlp/testEntries.ts';
import { Fingerprinter } from './fingerprint.ts';
import { decodeLeaf, encodeLeaf, writeLeaf } from './leaf.ts';

const fingerprinter = new Fingerprinter();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The body's field of an entry with this metadata. */
function bodyOf(metadata: string): string {
  const bytes = hex(
    fingerprinter.encode(makeEntry({ metadata: Buffer.from(metadata), occurredAtMicros: 0 })),
  );
  return bytes.slice(0, bytes.indexOf('32380a0e'));
}

describe('a fingerprint', () => {
  test('is SHA-256 of these bytes', () => {
    const entry = makeEntry();
    expect(hex(fingerprinter.encode(entry))).toBe(
      [
        '0900caa74e8c0ac218', // time
        '2a10320e0a0c0a06666c6f7749641202182a', // body
        '32380a0e6c6f672e7265636f72642e75696412260a2430663866616435622d643963622d343639662d613136352d373038363737323839353065', // uid
        '32140a0e61756469742e656e7472792e696412021801', // entry id
        '32220a1061756469742e6576656e742e74797065120e0a0c666c6f772e63726561746564', // event type
        '32110a07757365722e696412060a04752d3137', // user id
        '32120a09757365722e6e616d6512050a03416461', // user name
        '321f0a1261756469742e73657373696f6e2e7479706512090a076170695f6b6579', // session type
        '32190a1061756469742e70726f6a6563742e696412050a03776562', // project
        '620c666c6f772e63726561746564', // event name
      ].join(''),
    );
    expect(hex(fingerprinter.fingerprint(entry))).toBe(
      '6333574359cd7693da4505378d6b389e277441ef6c9e7359e66c740126908eb2',
    );
  });

  test('has no time before 1970 and none that is unknown, and no attribute for null', () => {
    const entry = makeEntry({
      occurredAtMicros: -1,
      metadata: Buffer.from('null'),
      actorId: null,
      actorName: Buffer.alloc(0),
      project: null,
    });
    expect(hex(fingerprinter.encode(entry))).toBe(
      [
        '2a00', // body
        '32380a0e6c6f672e7265636f72642e75696412260a2430663866616435622d643963622d343639662d613136352d373038363737323839353065', // uid
        '32140a0e61756469742e656e7472792e696412021801', // entry id
        '32220a1061756469742e6576656e742e74797065120e0a0c666c6f772e63726561746564', // event type
        '320f0a09757365722e6e616d6512020a00', // user name
        '321f0a1261756469742e73657373696f6e2e7479706512090a076170695f6b6579', // session type
        '620c666c6f772e63726561746564', // event name
      ].join(''),
    );
  });

  test.each([
    ['an empty object', '{}', '2a023200'],
    ['null', 'null', '2a00'],
    ['an empty key', '{"": 1}', '2a0832060a0412021801'],
    ['keys out of order', '{"bb": 1, "a": 2}', '2a1532130a070a0161120218020a080a02626212021801'],
    ['the last of equal keys', '{"a": 1, "a": 2}', '2a0b32090a070a016112021802'],
    [
      'keys by bytes, not by characters',
      '{"é": 1, "zz": 2, "a": 3}',
      '2a1f321d0a070a0161120218030a080a027a7a120218020a080a02c3a912021801',
    ],
    [
      'maps in lists in maps',
      '{"b": [{"": -0.0, "": 1}], "a": {}}',
      '2a1e321c0a070a0161120232000a110a0162120c2a0a0a0832060a0412021801',
    ],
    ['a negative zero', '-0', '2a09210000000000000000'],
    ['a number that nothing holds exactly', '1e400', '2a070a053165343030'],
  ])('writes %s', (_what, metadata, expected) => {
    expect(bodyOf(metadata)).toBe(expected);
  });

  test('equals what a receiver builds from the record, for any entry', () => {
    const text = fc
      .oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 300 }))
      .map((value) => Buffer.from(value));
    const metadata = fc.oneof(
      fc.json(),
      fc.jsonValue().map((value) => `{"": ${JSON.stringify(value)}, "b": -0, "a": -0.0}`),
      fc.bigInt().map(String),
      fc.nat(40).map((depth) => '{"a": ['.repeat(depth) + ']}'.repeat(depth)),
    );
    fc.assert(
      fc.property(
        fc.record({
          eventType: text,
          actorId: fc.option(text),
          actorName: fc.option(text),
          sessionType: text,
          project: fc.option(text),
          metadata: metadata.map((value) => Buffer.from(value)),
          occurredAtMicros: fc.oneof(fc.constant(0), fc.maxSafeInteger()),
          id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        }),
        (columns) => {
          const entry = makeEntry(columns);
          expect(hex(fingerprinter.encode(entry))).toBe(hex(officialBytes(encodeAndDecode(entry))));
        },
      ),
      { numRuns: 50 },
    );
  });

  test('of text that is not UTF-8 holds its bytes', () => {
    const odd = Buffer.from('ff41', 'hex');
    const entry = makeEntry({
      eventType: odd,
      actorId: odd,
      actorName: odd,
      sessionType: odd,
      project: odd,
      metadata: odd,
    });
    expect(hex(fingerprinter.encode(entry))).toBe(hex(officialBytes(encodeAndDecode(entry))));
  });
});

const realEvents = new URL('../../../shared/data/cloudtrail.ndjson.gz', import.meta.url);

test.skipIf(!existsSync(realEvents))(
  '2,900 real events have the fingerprints that a receiver builds (skipped where ../shared/data/cloudtrail.ndjson.gz is missing)',
  () => {
    const lines = gunzipSync(readFileSync(realEvents)).toString().trim().split('\n');
    expect(lines).toHaveLength(2_900);
    for (const [i, line] of lines.entries()) {
      const entry = makeEntry({ id: BigInt(i), metadata: Buffer.from(line) });
      const fingerprint = fingerprinter.fingerprint(entry);
      expect(hex(fingerprint)).toBe(hex(officialFingerprint(encodeAndDecode(entry))));
    }
  },
);

test('a leaf is entry id, uid and fingerprint', () => {
  const leaf = { entryId: -2n, uid: makeEntry().uid, fingerprint: Buffer.alloc(32, 7) };
  expect(hex(encodeLeaf(leaf))).toBe(`fffffffffffffffe${hex(leaf.uid)}${'07'.repeat(32)}`);
  expect(decodeLeaf(encodeLeaf(leaf))).toEqual(leaf);
  const two = Buffer.alloc(112);
  expect(writeLeaf(two, writeLeaf(two, 0, leaf), { ...leaf, entryId: 1n })).toBe(112);
  expect(decodeLeaf(two, 56)).toEqual({ ...leaf, entryId: 1n });
});

import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { type AnyValue, toJson } from '../../../tools/otlp/otlpProto.ts';
import { bodyOf, spell } from '../../../tools/otlp/testEntries.ts';
import { maxDepth } from './jsonValue.ts';

function map(...members: Array<[string, AnyValue]>): AnyValue {
  return new Map(members);
}

describe('writeJsonField', () => {
  test.each<[name: string, json: string, value: AnyValue]>([
    ['null', 'null', null],
    ['true', 'true', true],
    ['false', 'false', false],
    ['zero', '0', 0n],
    ['an empty string', '""', ''],
    ['an empty array', '[]', []],
    ['an empty object', '{}', map()],
    ['null in an array', '[null, 1, null]', [null, 1n, null]],
    ['null as a member', '{"a": null}', map(['a', null])],
    ['defaults inside containers', '[0, false, "", [], {}, 0.0]', [0n, false, '', [], map(), 0]],
    ['an empty key', '{"": 1}', map(['', 1n])],
    [
      'a key like a prototype',
      '{"__proto__": {"constructor": 1}}',
      map(['__proto__', map(['constructor', 1n])]),
    ],
    ['a negative integer', '-1', -1n],
    ['an integer of 15 digits', '-999999999999999', -999999999999999n],
    ['the first integer past 2^53', '9007199254740993', 9007199254740993n],
    ['the largest int64', '9223372036854775807', 9223372036854775807n],
    ['the smallest int64', '-9223372036854775808', -9223372036854775808n],
    ['one past the largest int64', '9223372036854775808', '9223372036854775808'],
    ['one before the smallest int64', '-9223372036854775809', '-9223372036854775809'],
    [
      'an integer of 40 digits',
      '1234567890123456789012345678901234567890',
      '1234567890123456789012345678901234567890',
    ],
    ['negative zero', '-0', -0],
    ['a decimal', '0.1', 0.1],
    ['a decimal with a trailing zero', '1.10', 1.1],
    ['an exponent', '1e2', 100],
    ['an exponent with sign and capital', '-1.5E+300', -1.5e300],
    ['a decimal of 17 digits that is a double', '0.30000000000000004', 0.30000000000000004],
    ['negative zero with a fraction', '-0.00', -0],
    ['zero with a huge exponent', '0e999999999999', 0],
    ['a decimal that a double rounds', '0.12345678901234567890', '0.12345678901234567890'],
    ['a decimal past 2^53', '9007199254740993.0', '9007199254740993.0'],
    ['a decimal above the doubles', '1e400', '1e400'],
    ['a decimal below the doubles', '-1e-400', '-1e-400'],
    ['short escapes', String.raw`"\"\\\/\b\f\n\r\t"`, '"\\/\b\f\n\r\t'],
    ['hexadecimal escapes', String.raw`"\u0041\u00e9\u20AC\u0000"`, 'Aé€\0'],
    ['a surrogate pair', String.raw`"\ud83d\uDE00!"`, '😀!'],
    ['raw multi-byte characters', '"é€😀\u2028"', 'é€😀\u2028'],
    ['a byte order mark', '"\ufeffa"', '\ufeffa'],
    ['a lone high surrogate', String.raw`"a\ud83d"`, Uint8Array.of(0x61, 0xed, 0xa0, 0xbd)],
    ['a lone low surrogate', String.raw`"\ude00\n"`, Uint8Array.of(0xed, 0xb8, 0x80, 0x0a)],
    [
      'two high surrogates before a low one',
      String.raw`"\ud83d\ud83d\ude00"`,
      Buffer.from('eda0bdf09f9880', 'hex'),
    ],
    ['a key with escapes', String.raw`{"\u0061\n": 1}`, map(['a\n', 1n])],
    [
      'a lone surrogate in a key',
      String.raw`[{"a" : 1, "\ud83d":2}, 3]`,
      [String.raw`{"a" : 1, "\ud83d":2}`, 3n],
    ],
    ['white space anywhere', ' \t\r\n{ "a" :\n[ 1 ,\t2 ] , "b":{ } } ', map(['a', [1n, 2n]], ['b', map()])],
    ['no white space', '{"a":[1,2],"b":{}}', map(['a', [1n, 2n]], ['b', map()])],
    ['keys in the order of the text', '{"b": 1, "aa": 2, "a": 3}', map(['b', 1n], ['aa', 2n], ['a', 3n])],
    ['the last of equal keys', '{"a": 1, "b": 2, "a": 3}', map(['b', 2n], ['a', 3n])],
    ['keys equal once decoded', String.raw`{"a": 1, "\u0061": 2}`, map(['a', 2n])],
    ['equal empty keys', '{"": 1, "": 2, "": 3}', map(['', 3n])],
  ])('keeps %s', (_, json, value) => {
    expect(spell(bodyOf(json))).toBe(spell(value));
    // Inside a container, and with lengths that need more than one byte.
    const long = 'x'.repeat(200);
    expect(spell(bodyOf(`{"v": ${json}, "${long}": [${json}, "${long}"]}`))).toBe(
      spell(map(['v', value], [long, [value, long]])),
    );
  });

  test.each([
    ...[
      '',
      ' ',
      '{',
      '[',
      '"',
      '"a',
      '"\\',
      '"\\u12',
      '"\\u12g4"',
      '"\\x"',
      '{"a"',
      '{"a":',
      '{"a":1',
      '{"a":1,',
      '[1,',
    ],
    ...[
      '{"a":1,}',
      '[1,]',
      '[,1]',
      '{,}',
      '[1 2]',
      '{"a" 1}',
      '{a:1}',
      "{'a':1}",
      '[1}',
      '{"a":1]',
      '{"a":"b"]',
    ],
    ...[
      'tru',
      'True',
      'nul',
      'nullx',
      'NaN',
      'Infinity',
      '-',
      '-a',
      '+1',
      '01',
      '-01',
      '1.',
      '.5',
      '1.e3',
      '1e',
      '1e+',
    ],
    ...[
      '1 1',
      '{} {}',
      '"a" "b"',
      '0x10',
      '"\n"',
      '"\u0000"',
      '\u0000',
      '1\u0000',
      '{"a\u0001":1}',
      '\ufeff1',
      '\u00a01',
    ],
    ...['[1, "\\ud800", {"a": [tru]}]', '{"a": 1, "b": "c\\"}', `${'['.repeat(50)}1${']'.repeat(49)}`],
  ])('passes %j on as text, as it is no JSON', (text) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(bodyOf(text)).toBe(text);
  });

  test('passes metadata that is not UTF-8 on as bytes', () => {
    for (const bytes of [
      Buffer.from('{"a": "\xff"}', 'latin1'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xff]),
    ]) {
      expect(spell(bodyOf(bytes))).toBe(spell(bytes));
    }
  });

  test.each([
    ['arrays', '[', ']'],
    ['objects', '{"a": ', '}'],
  ])('keeps %s structured down to the depth limit and their text below', (_, open, close) => {
    const innermost = open === '[' ? '["\\"]", 1e400]' : '{"b" : "}\\\\"}';
    const nest = (depth: number) => open.repeat(depth - 1) + innermost + close.repeat(depth - 1);
    const unnest = (depth: number) => {
      let value = bodyOf(nest(depth));
      for (let level = 1; level < Math.min(depth, maxDepth + 1); level++) {
        value = (Array.isArray(value) ? value[0] : value instanceof Map ? value.get('a') : null) ?? null;
      }
      return value;
    };
    expect(toJson(unnest(maxDepth))).toEqual(open === '[' ? ['"]', '1e400'] : { b: '}\\' });
    expect(unnest(maxDepth + 1)).toBe(innermost);
    for (const depth of [200, 100_000]) {
      const below = depth - maxDepth - 1;
      expect(unnest(depth)).toBe(open.repeat(below) + innermost + close.repeat(below));
    }
  });

  test('nests at most 77 messages, of the 100 that decoders take', () => {
    const limit = protobuf.Reader.recursionLimit;
    const deepest = `${'{"a": '.repeat(1000)}1${'}'.repeat(1000)}`;
    try {
      protobuf.Reader.recursionLimit = 77 - 1; // the outermost message is depth 0
      expect(() => bodyOf(deepest)).not.toThrow();
      protobuf.Reader.recursionLimit = 77 - 2;
      expect(() => bodyOf(deepest)).toThrow();
    } finally {
      protobuf.Reader.recursionLimit = limit;
    }
  });

  test.each([
    0, 1, 2, 3, 4, 62, 63, 64, 110, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130,
    16_370, 16_371, 16_372, 16_373, 16_374, 16_375, 16_376, 16_377, 16_378, 16_379, 16_380, 16_381, 16_382,
    16_383, 16_384, 2_097_140, 2_097_145, 2_097_152,
  ])('gets every length right around text of %d bytes', (length) => {
    const text = 'x'.repeat(length);
    const value = { [text]: text, a: [text, { b: text, [`${text}y`]: 1 }], c: { d: { e: text } } };
    expect(toJson(bodyOf(JSON.stringify(value)))).toEqual(value);
  });

  test.each([
    ['small integers', '-1,'],
    ['negative zeros', '-0,'],
    ['exponents', '1e0,'],
    ['empty arrays', '[],'],
    ['members', '{"":-1},'],
    ['nested arrays', `${'['.repeat(20)}${']'.repeat(20)},`],
  ])('has room for what grows most: %s', (_, element) => {
    for (const count of [1, 10, 1000, 10_000]) {
      const json = `[${element.repeat(count).slice(0, -1)}]`;
      expect(toJson(bodyOf(json))).toEqual(JSON.parse(json));
      // Read a second time, after its values have been written: they must not have reached it.
      const unfit = String.raw`{"\ud800":${json}}`;
      expect(bodyOf(unfit)).toBe(unfit);
    }
  });
});

const dataFolder = new URL('../../../../shared/data/cloudtrail.ndjson.gz', import.meta.url);

describe('real events', () => {
  test.skipIf(!existsSync(dataFolder))(
    '2,900 CloudTrail events come out as JSON.parse reads them (skipped where ../shared/data/cloudtrail.ndjson.gz is missing)',
    () => {
      const lines = gunzipSync(readFileSync(dataFolder)).toString().trim().split('\n');
      expect(lines).toHaveLength(2900);
      for (const line of lines) expect(toJson(bodyOf(line))).toStrictEqual(JSON.parse(line));
    },
  );
});

/**
 * Arbitrary JSON against a second, slow reading of the rules: values are made as trees together with a spelling
 * (white space, escapes, numbers as text), written as text, and what the rules say of the tree is compared with
 * what protobufjs reads from the encoder's bytes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AnyValue } from '../../../tools/otlp/otlpProto.ts';
import { bodyOf, spell } from '../../../tools/otlp/testEntries.ts';
import { maxDepth } from './jsonValue.ts';

/** `text` of a leaf is its spelling; a container's children carry theirs. */
type Node =
  | { kind: 'literal'; text: string; value: boolean | null }
  | { kind: 'number'; text: string }
  | { kind: 'string'; text: string; value: string }
  | { kind: 'array'; space: string; items: Node[] }
  | { kind: 'object'; space: string; members: Array<{ key: Node & { kind: 'string' }; value: Node }> };

const space = fc.constantFrom('', ' ', '\n\t', ' \r ');

const codeUnits = fc.oneof(
  { weight: 4, arbitrary: fc.string() },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 100, maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .array(fc.oneof(fc.integer({ min: 0xd7f0, max: 0xe010 }), fc.integer({ min: 0, max: 0x90 })))
      .map((units) => String.fromCharCode(...units)),
  },
);

/** Any string, with some characters escaped that need not be. */
function stringNode(value: fc.Arbitrary<string>): fc.Arbitrary<Node & { kind: 'string' }> {
  return fc.tuple(value, fc.integer({ min: 1, max: 7 })).map(([value, every]) => ({
    kind: 'string',
    value,
    text:
      every < 5
        ? JSON.stringify(value)
        : `"${[...value].map((c, i) => spellCharacter(c, i % every)).join('')}"`,
  }));
}

function spellCharacter(character: string, choice: number): string {
  if (choice > 1) return JSON.stringify(character).slice(1, -1);
  const units = character.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return units.map((hex) => `\\u${choice === 0 ? hex : hex.toUpperCase()}`).join('');
}

const digits = (maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength }).map((list) => list.join(''));
const integerText = fc
  .tuple(fc.constantFrom('', '-'), digits(25))
  .map(([sign, text]) => sign + (text.replace(/^0+/, '') || '0'));
const numberNode: fc.Arbitrary<Node> = fc
  .oneof(
    integerText,
    fc.bigInt({ min: -(2n ** 63n) - 2n, max: 2n ** 63n + 1n }).map(String),
    fc.integer().map(String),
    fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .map((value) => (Object.is(value, -0) ? '-0' : String(value))),
    fc.tuple(integerText, digits(22)).map(([integer, fraction]) => `${integer}.${fraction}`),
    fc
      .tuple(
        integerText,
        fc.option(digits(18)),
        fc.constantFrom('e', 'E+', 'e-', 'E'),
        fc.integer({ min: 0, max: 420 }),
      )
      .map(
        ([integer, fraction, e, exponent]) =>
          `${integer}${fraction === null ? '' : `.${fraction}`}${e}${exponent}`,
      ),
  )
  .map((text) => ({ kind: 'number', text }));

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.constantFrom<Node>(
    { kind: 'literal', text: 'null', value: null },
    { kind: 'literal', text: 'true', value: true },
    { kind: 'literal', text: 'false', value: false },
  ),
  numberNode,
  stringNode(codeUnits),
);

/** Few different keys, so that many repeat; some of any kind. */
const key = stringNode(fc.oneof(fc.constantFrom('', 'a', 'b', 'ab', 'é', '\u0000'), codeUnits));

const node: fc.Arbitrary<Node> = fc.letrec<{ node: Node; array: Node; object: Node }>((tie) => ({
  node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, tie('array'), tie('object')),
  array: fc.tuple(space, fc.array(tie('node'))).map(([space, items]) => ({ kind: 'array', space, items })),
  object: fc
    .tuple(space, fc.array(fc.record({ key, value: tie('node') })))
    .map(([space, members]) => ({ kind: 'object', space, members })),
})).node;

/** Wraps a tree in so many containers that it lies around the depth limit. */
const deepNode: fc.Arbitrary<Node> = fc
  .tuple(node, fc.array(fc.boolean(), { minLength: maxDepth - 3, maxLength: maxDepth + 2 }))
  .map(([inner, wraps]) =>
    wraps.reduce<Node>((inner, isArray) => {
      if (isArray) return { kind: 'array', space: '', items: [inner] };
      return {
        kind: 'object',
        space: ' ',
        members: [{ key: { kind: 'string', text: '"k"', value: 'k' }, value: inner }],
      };
    }, inner),
  );

function toText(node: Node): string {
  switch (node.kind) {
    case 'array':
      return `[${node.space}${node.items.map((item) => toText(item) + node.space).join(`,${node.space}`)}]`;
    case 'object': {
      const { space } = node;
      const members = node.members.map((m) => `${m.key.text}${space}:${space}${toText(m.value)}${space}`);
      return `{${space}${members.join(`,${space}`)}}`;
    }
    default:
      return node.text;
  }
}

/** The rules of jsonValue.ts, read for clarity. */
function toExpected(node: Node, depth = 1): AnyValue {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'number':
      return expectedNumber(node.text);
    case 'string':
      return node.value.isWellFormed() ? node.value : toWtf8(node.value);
    case 'array':
      return depth > maxDepth ? toText(node) : node.items.map((item) => toExpected(item, depth + 1));
    case 'object': {
      if (depth > maxDepth || node.members.some(({ key }) => !key.value.isWellFormed())) return toText(node);
      const map = new Map<string, AnyValue>();
      for (const { key, value } of node.members) {
        map.delete(key.value);
        map.set(key.value, toExpected(value, depth + 1));
      }
      return map;
    }
  }
}

function expectedNumber(text: string): AnyValue {
  if (/^-?\d+$/.test(text) && text !== '-0') {
    const value = BigInt(text);
    return BigInt.asIntN(64, value) === value ? value : text;
  }
  const double = Number(text);
  return Number.isFinite(double) && isSameNumber(text, String(double)) ? double : text;
}

/** Compares as integers, both times 10^800. */
function isSameNumber(a: string, b: string): boolean {
  const scaled = (text: string) => {
    const [, sign, integer = '', fraction = '', exponent = '0'] =
      /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
    return BigInt(`${sign}${integer}${fraction}`) * 10n ** BigInt(800 + Number(exponent) - fraction.length);
  };
  return scaled(a) === scaled(b);
}

function toWtf8(value: string): Uint8Array {
  return Buffer.concat(
    [...value].map((character) => {
      const unit = character.charCodeAt(0);
      if (character.isWellFormed()) return Buffer.from(character);
      return Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
    }),
  );
}

/** More with FAST_CHECK_RUNS; the time limit also ends the search for a smaller counterexample. */
const runs = { numRuns: Number(process.env['FAST_CHECK_RUNS'] ?? 500), interruptAfterTimeLimit: 15_000 };

test('encodes any JSON exactly as the rules say', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 5, arbitrary: node }, { weight: 1, arbitrary: deepNode }), (node) => {
      expect(spell(bodyOf(toText(node)))).toBe(spell(toExpected(node)));
    }),
    runs,
  );
});

test('takes for JSON what JSON.parse takes, however a text is damaged', () => {
  const damaged = fc.tuple(
    node,
    fc.nat(),
    fc.constantFrom('', '"', '\\', ',', ':', '{', '}', '[', ']', '0', '-', 'e', '\u0001'),
  );
  fc.assert(
    fc.property(damaged, ([node, at, insert]) => {
      const text = toText(node);
      const cut = at % (text.length + 1);
      const broken = (text.slice(0, cut) + insert + text.slice(cut + (insert === '' ? 1 : 0))).toWellFormed();
      const body = bodyOf(broken);
      if (!isJson(broken)) expect(body).toBe(broken);
    }),
    runs,
  );
});

test('keeps any bytes at all', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const body = bodyOf(bytes);
      if (body instanceof Uint8Array) expect(Buffer.compare(body, bytes)).toBe(0);
      else if (!isJson(Buffer.from(bytes).toString())) expect(body).toBe(Buffer.from(bytes).toString());
    }),
    runs,
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

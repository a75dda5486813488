import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GramSet, termHashes } from './grams.ts';

/** As the database does. */
function mayHold(grams: Buffer | null, term: string): boolean {
  if (grams === null) return true;
  return termHashes(term).all.every((hash) => {
    const bit = hash & (grams.length * 8 - 1);
    return (((grams[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
  });
}

test('every piece of a text may be in its block, however the bitmap was folded', () => {
  const set = new GramSet();
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 20 }),
      fc.nat(),
      fc.nat(50),
      (texts, seed, length) => {
        for (const text of texts) set.add(Buffer.from(text));
        const grams = set.take();
        const text = texts[seed % Math.max(1, texts.length)] ?? '';
        const characters = [...text];
        const from = seed % Math.max(1, characters.length);
        return mayHold(grams, characters.slice(from, from + length).join(''));
      },
    ),
  );
});

test('most that is not in a block is known not to be', () => {
  const set = new GramSet();
  for (let i = 0; i < 1_000; i++) set.add(Buffer.from(`{"id": "${hex(i)}-${hex(i + 5_000)}", "n": ${i}}`));
  const grams = set.take();
  expect(grams?.length).toBeLessThanOrEqual(65_536);
  const absent = Array.from({ length: 2_000 }, (_, i) => hex(i + 50_000));
  const falsePositives = (terms: string[]) =>
    terms.filter((term) => mayHold(grams, term)).length / terms.length;
  expect(falsePositives(absent)).toBeLessThan(0.001);
  expect(falsePositives(absent.map((term) => term.slice(0, 6)))).toBeLessThan(0.1);
  expect(falsePositives(absent.map((term) => term.slice(0, 4)))).toBeLessThan(0.65);
  const letters = [...'ghjklmopqrstuvwxyz'];
  const pairs = letters.flatMap((one) => letters.map((other) => one + other));
  expect(falsePositives(pairs)).toBeLessThan(0.03);
  expect(falsePositives(pairs.map((pair) => `${pair[0]}a${pair[1]}`))).toBeLessThan(0.03);
});

test('a bitmap is as small as its grams allow, and none where they are too many', () => {
  const set = new GramSet();
  set.add(Buffer.from('a'));
  expect(set.take()?.every((byte) => byte === 0)).toBe(true);
  set.add(Buffer.from('ab'));
  expect(countOnes(set.take())).toBe(4);
  set.add(Buffer.from('abcd'));
  const grams = set.take();
  expect(grams?.length).toBe(128);
  // Two of its seventeen hashes may be the same.
  expect(countOnes(grams)).toBeGreaterThan(15);
  expect(countOnes(grams)).toBeLessThan(18);
  expect(set.take()?.every((byte) => byte === 0)).toBe(true);
  let state = 1;
  set.add(
    Uint8Array.from({ length: 16_000_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
  expect(set.take()).toBeNull();
});

test('a term under two bytes has no grams', () => {
  expect(termHashes('')).toEqual({ all: [], version1: [] });
  expect(termHashes('a').all).toEqual([]);
  expect(termHashes('ab').all).toHaveLength(4);
  expect(termHashes('x'.repeat(200)).all).toHaveLength(1 + 1 + 2 + 4);
});

test('blocks of former releases are probed for what they hold: grams of four bytes, with the hashes of then', () => {
  expect(termHashes('abc').version1).toEqual([]);
  expect(termHashes('é€').version1).toHaveLength(2);
  expect(termHashes('x'.repeat(200)).version1).toHaveLength(1);
  expect(termHashes('deploy').version1).toEqual([269_388, 1_402_740, 650_819]);
});

function countOnes(grams: Buffer | null | undefined): number {
  return [...(grams ?? [])].reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
}

function hex(n: number): string {
  return (Math.imul(n + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Isolation } from './isolation.ts';

/** Plays a receiver that refuses every batch with a bad record; returns what was parked and how many requests it took. */
function play(records: readonly boolean[]): { parked: number[]; requests: number; unproven: number } {
  const isolation = new Isolation();
  const parked: number[] = [];
  let position = 0;
  let requests = 0;
  let unproven = 0;
  while (position < records.length) {
    const size = Math.min(records.length - position, isolation.recordLimit);
    requests++;
    if (records.slice(position, position + size).every((isBad) => !isBad)) {
      isolation.accepted(size);
      position += size;
      continue;
    }
    isolation.refused(size);
    if (size > 1) continue;
    if (!isolation.isProven) {
      unproven++;
      isolation.neighbourAccepted();
    }
    isolation.reset();
    parked.push(position++);
  }
  return { parked, requests, unproven };
}

test('finds exactly the refused records, whatever their places', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (records) => {
      const bad = records.flatMap((isBad, i) => (isBad ? [i] : []));
      expect(play(records).parked).toEqual(bad);
    }),
  );
});

test('finds one record of a thousand in twice log2 requests', () => {
  const records = Array.from({ length: 1_000 }, (_, i) => i === 617);
  expect(play(records).requests).toBeLessThanOrEqual(2 * 10 + 2);
});

test('asks for a proof of its own for each record that is parked', () => {
  // Nothing lies before the first, and nothing is accepted between the two.
  expect(play([true, true, false]).unproven).toBe(2);
  expect(play([false, true, false]).unproven).toBe(0);
});

test('forgets suspects and proof with the endpoint', () => {
  const isolation = new Isolation();
  isolation.refused(10);
  isolation.accepted(5);
  isolation.reset();
  expect([isolation.isActive, isolation.isProven, isolation.recordLimit]).toEqual([
    false,
    false,
    Number.POSITIVE_INFINITY,
  ]);
});

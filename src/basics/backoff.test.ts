import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('doubles up to the limit, with at most half of it as jitter', () => {
  for (const [random, expected] of [
    [() => 1, [100, 200, 400, 800, 1_000, 1_000]],
    [() => 0, [50, 100, 200, 400, 500, 500]],
  ] as const) {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000 }, random);
    expect(expected.map(() => backoff.next())).toEqual(expected);
  }
});

test('waits at least as long as the receiver asked for, and starts over after a reset', () => {
  const backoff = new Backoff({ initialMs: 100, maxMs: 1_000 }, () => 1);
  expect(backoff.next(5_000)).toBe(5_000);
  expect(backoff.next(10)).toBe(200);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test('never gives up and never overflows', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5_000 }), (failures) => {
      const backoff = new Backoff({ initialMs: 500, maxMs: 30_000 });
      for (let i = 0; i < failures; i++) backoff.next();
      const wait = backoff.next();
      return wait >= 250 && wait <= 30_000;
    }),
    { numRuns: 50 },
  );
});

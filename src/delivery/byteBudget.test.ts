import { expect, test } from 'vitest';
import { ByteBudget } from './byteBudget.ts';

const never = new AbortController().signal;
const mebibyte = 1024 * 1024;

/** A budget of 16 MiB in which `slow` streams hold so much that nothing is free. */
async function exhausted(): Promise<ByteBudget> {
  const budget = new ByteBudget(16 * mebibyte);
  expect(await budget.acquire('slow-1', 8 * mebibyte, never)).toBe(8 * mebibyte);
  expect(await budget.acquire('slow-2', 8 * mebibyte, never)).toBe(8 * mebibyte);
  return budget;
}

test('a first page never waits, whatever others hold', async () => {
  const budget = await exhausted();
  expect(await budget.acquire('good', 4 * mebibyte, never)).toBe(budget.firstPageBytes);
});

test('who waits for more gets a first page once it holds nothing any more', async () => {
  const budget = await exhausted();
  await budget.acquire('good', 100_000, never);
  const more = budget.acquire('good', 4 * mebibyte, never);
  budget.release('good', 100_000);
  expect(await more).toBeGreaterThan(0);
});

test('first pages of a thousand streams take little more than an eighth of the total together', async () => {
  const budget = new ByteBudget(64 * mebibyte);
  let bytes = 0;
  for (let i = 0; i < 1_000; i++) {
    bytes += budget.firstPageBytes;
    expect(await budget.acquire(`stream ${i}`, budget.firstPageBytes, never)).toBeGreaterThan(0);
  }
  expect(bytes).toBeLessThan(64 * mebibyte);
});

test('what comes free goes to the stream that holds least', async () => {
  const budget = await exhausted();
  const order: string[] = [];
  await budget.acquire('a', 200_000, never);
  await budget.acquire('b', 100_000, never);
  const waits = ['a', 'b'].map((name) =>
    budget.acquire(name, 2 * mebibyte, never).then(() => order.push(name)),
  );
  budget.release('slow-1', 3 * mebibyte);
  await waits[1];
  expect(order).toEqual(['b']);
  budget.release('slow-1', 2 * mebibyte);
  await waits[0];
  expect(order).toEqual(['b', 'a']);
});

test('one stream alone takes at most half', async () => {
  const budget = new ByteBudget(16 * mebibyte);
  await budget.acquire('greedy', 6 * mebibyte, never);
  const more = budget.acquire('greedy', 4 * mebibyte, never);
  expect(await budget.acquire('other', 8 * mebibyte, never)).toBe(8 * mebibyte);
  budget.release('greedy', 3 * mebibyte);
  budget.release('other', 8 * mebibyte);
  expect(await more).toBe(4 * mebibyte);
});

test('a large page is not passed over for ever by small ones', async () => {
  const budget = await exhausted();
  const order: string[] = [];
  const large = budget.acquire('large', 8 * mebibyte, never, 'whole').then(() => order.push('large'));
  await budget.acquire('small', 100_000, never);
  const small = budget.acquire('small', 400_000, never).then(() => order.push('small'));
  budget.release('slow-1', 8 * mebibyte - 1);
  await Promise.resolve();
  expect(order).toEqual([]);
  budget.release('slow-2', mebibyte);
  await Promise.all([large, small]);
  expect(order).toEqual(['large', 'small']);
});

test('gives up a wait when it is interrupted, and lets the next one through', async () => {
  const budget = await exhausted();
  const interrupt = new AbortController();
  const waiting = budget.acquire('a', 8 * mebibyte, interrupt.signal, 'whole');
  const next = budget.acquire('b', mebibyte, never, 'whole');
  budget.release('slow-1', 2 * mebibyte);
  interrupt.abort();
  expect(await waiting).toBe(0);
  expect(await next).toBe(mebibyte);
  expect(await budget.acquire('c', 1, interrupt.signal)).toBe(0);
});

test('a page that turned out larger is taken from what comes free', async () => {
  const budget = new ByteBudget(16 * mebibyte);
  await budget.acquire('a', mebibyte, never);
  budget.release('a', -19 * mebibyte);
  let isGranted = false;
  const waiting = budget.acquire('b', mebibyte, never, 'whole').then(() => {
    isGranted = true;
  });
  budget.release('a', 4 * mebibyte);
  await Promise.resolve();
  expect(isGranted).toBe(false);
  budget.release('a', 4 * mebibyte);
  await waiting;
  expect(isGranted).toBe(true);
});

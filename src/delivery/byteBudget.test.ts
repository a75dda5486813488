import { expect, test } from 'vitest';
import { ByteBudget } from './byteBudget.ts';

const never = new AbortController().signal;

test('grants in order, and only what is free', async () => {
  const budget = new ByteBudget(10);
  const order: string[] = [];
  expect(await budget.acquire(8, never)).toBe(true);
  const large = budget.acquire(5, never).then(() => order.push('large'));
  // Would fit, but may not overtake: a large page would otherwise never get its turn.
  const small = budget.acquire(1, never).then(() => order.push('small'));
  budget.release(2);
  await Promise.resolve();
  expect(order).toEqual([]);
  budget.release(6);
  await Promise.all([large, small]);
  expect(order).toEqual(['large', 'small']);
});

test('gives up a wait when it is interrupted, and lets the next one through', async () => {
  const budget = new ByteBudget(10);
  await budget.acquire(10, never);
  const interrupt = new AbortController();
  const waiting = budget.acquire(10, interrupt.signal);
  const next = budget.acquire(4, never);
  interrupt.abort();
  expect(await waiting).toBe(false);
  budget.release(5);
  expect(await next).toBe(true);
  expect(await budget.acquire(1, interrupt.signal)).toBe(false);
});

test('a page that turned out larger is taken from what comes free', async () => {
  const budget = new ByteBudget(10);
  await budget.acquire(5, never);
  budget.release(-10);
  const waiting = budget.acquire(1, never);
  let isGranted = false;
  void waiting.then(() => {
    isGranted = true;
  });
  budget.release(5);
  await Promise.resolve();
  expect(isGranted).toBe(false);
  budget.release(10);
  expect(await waiting).toBe(true);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RateLimit } from './rateLimit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('lets a burst through at once and the rest at its pace', async () => {
  const limit = new RateLimit({ perSecond: 10, burst: 5 });
  const { signal } = new AbortController();
  let passed = 0;
  for (let i = 0; i < 15; i++) void limit.take(signal).then(() => passed++);
  await vi.advanceTimersByTimeAsync(0);
  expect(passed).toBe(5);
  await vi.advanceTimersByTimeAsync(500);
  expect(passed).toBe(10);
  await vi.advanceTimersByTimeAsync(500);
  expect(passed).toBe(15);
});

test('keeps nobody waiting who is stopped', async () => {
  const limit = new RateLimit({ perSecond: 0.001, burst: 1 });
  const stop = new AbortController();
  await limit.take(stop.signal);
  const waiting = limit.take(stop.signal);
  stop.abort();
  await waiting;
});

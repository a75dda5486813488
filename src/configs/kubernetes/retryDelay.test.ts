import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RetryDelay } from './retryDelay.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('waits longer after each failure, with jitter, up to the limit', () => {
  const delay = new RetryDelay({ initialMs: 800, maxMs: 30_000 });
  const ceilings = [800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000];
  for (const ceiling of ceilings) {
    const waitMs = delay.next();
    expect(waitMs).toBeGreaterThanOrEqual(ceiling / 2);
    expect(waitMs).toBeLessThanOrEqual(ceiling);
  }
});

test('never waits less than the server asks for', () => {
  const delay = new RetryDelay({ initialMs: 800, maxMs: 30_000 });
  expect(delay.next(45_000)).toBe(45_000);
});

test('starts over after two healthy minutes, not after a moment', () => {
  const delay = new RetryDelay({ initialMs: 800, maxMs: 30_000 });
  for (let failures = 0; failures < 8; failures++) delay.next();
  delay.healthy();
  vi.advanceTimersByTime(60_000);
  expect(delay.next()).toBeGreaterThanOrEqual(15_000);
  delay.healthy();
  vi.advanceTimersByTime(121_000);
  expect(delay.next()).toBeLessThanOrEqual(800);
});

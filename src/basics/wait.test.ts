import { describe, expect, test } from 'vitest';
import { Bell, pause } from './wait.ts';

const never = new AbortController().signal;

describe('a bell', () => {
  test('wakes who waits', async () => {
    const bell = new Bell();
    const waiting = bell.wait(Number.POSITIVE_INFINITY, never);
    bell.ring();
    expect(await waiting).toBe('rung');
  });

  test('wakes at once when it rang before, and only once for many rings', async () => {
    const bell = new Bell();
    bell.ring();
    bell.ring();
    expect(await bell.wait(600_000, never)).toBe('rung');
    expect(await bell.wait(1, never)).toBe('timeout');
  });

  test('ends with the signal, also one that has aborted before', async () => {
    const bell = new Bell();
    const stopped = new AbortController();
    const waiting = bell.wait(Number.POSITIVE_INFINITY, stopped.signal);
    stopped.abort();
    expect(await waiting).toBe('aborted');
    expect(await bell.wait(600_000, stopped.signal)).toBe('aborted');
  });

  test('keeps a ring for the next wait when the signal came first', async () => {
    const bell = new Bell();
    bell.ring();
    expect(await bell.wait(600_000, AbortSignal.abort())).toBe('aborted');
    expect(await bell.wait(600_000, never)).toBe('rung');
  });
});

test('a pause ends with its time or its signal, whichever is first', async () => {
  await pause(1, never);
  const stopped = new AbortController();
  const waiting = pause(Number.POSITIVE_INFINITY, stopped.signal);
  stopped.abort();
  await waiting;
});

import { describe, expect, it } from 'vitest';
import { makeBell } from './bell.ts';

const never = new AbortController().signal;

describe('a bell', () => {
  it('wakes who waits', async () => {
    const bell = makeBell();
    const waiting = bell.wait(600_000, never);
    bell.ring();
    expect(await waiting).toBe('rung');
  });

  it('wakes at once when it rang before, and only once for many rings', async () => {
    const bell = makeBell();
    bell.ring();
    bell.ring();
    expect(await bell.wait(600_000, never)).toBe('rung');
    expect(await bell.wait(1, never)).toBe('timeout');
  });

  it('ends with the signal, also one that has aborted before', async () => {
    const bell = makeBell();
    const stopped = new AbortController();
    const waiting = bell.wait(600_000, stopped.signal);
    stopped.abort();
    expect(await waiting).toBe('aborted');
    expect(await bell.wait(600_000, stopped.signal)).toBe('aborted');
  });

  it('keeps a ring for the next wait when the signal came first', async () => {
    const bell = makeBell();
    bell.ring();
    expect(await bell.wait(600_000, AbortSignal.abort())).toBe('aborted');
    expect(await bell.wait(600_000, never)).toBe('rung');
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Isolation } from './isolation.ts';

const own = Object.assign(new Error('a value'), { code: '22P02', severity: 'ERROR' });
const doubtful = Object.assign(new Error('too slow'), { code: '57014', severity: 'ERROR' });
const missingRight = Object.assign(new Error('no right'), { code: '42501', severity: 'ERROR' });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const isolation = new Isolation(1_000);
  const said: string[] = [];
  const stopped = new AbortController();
  return {
    isolation,
    said,
    stopped,
    attempt: (key: string, error: Error | null) =>
      isolation
        .attempt(
          key,
          async () => {
            if (error) throw error;
            return 'done' as const;
          },
          { signal: stopped.signal, onFailure: () => said.push(key) },
        )
        .catch(() => 'thrown' as const),
  };
}

test('what is its own stops nobody, is said once, and is tried after ever longer waits', async () => {
  const { isolation, said, attempt } = start();
  for (const waitMs of [1_000, 2_000, 4_000, 8_000]) {
    expect(await attempt('a', own)).toBe('failed');
    vi.advanceTimersByTime(waitMs - 1);
    expect(isolation.due(['a', 'b'])).toEqual(['b']);
    expect(isolation.waiting()).toEqual(['a']);
    vi.advanceTimersByTime(1);
    // After the others.
    expect(isolation.due(['a', 'b'])).toEqual(['b', 'a']);
  }
  for (let n = 0; n < 20; n++) await attempt('a', own);
  vi.advanceTimersByTime(15 * 60_000);
  expect(isolation.due(['a'])).toEqual(['a']);
  expect(said).toEqual(['a']);
  expect(await attempt('a', null)).toBe('done');
  expect(isolation.keys()).toEqual([]);
  await attempt('a', own);
  expect(said).toEqual(['a', 'a']);
});

test("what may be everybody's ends the round, unless others succeed", async () => {
  const { isolation, said, attempt } = start();
  isolation.begin();
  expect(await attempt('a', doubtful)).toBe('thrown');
  expect(isolation.due(['a', 'b', 'c'])).toEqual(['b', 'c']);
  // In an outage nobody's wait grows.
  for (let n = 0; n < 10; n++) await attempt('a', doubtful);
  vi.advanceTimersByTime(1_000);
  expect(isolation.due(['a', 'b', 'c'])).toEqual(['b', 'c', 'a']);

  isolation.begin();
  await attempt('b', null);
  expect(await attempt('a', doubtful)).toBe('failed');
  // One success excuses one.
  expect(await attempt('c', doubtful)).toBe('thrown');
  expect(said).toEqual(['a']);
  await attempt('b', null);
  expect(isolation.isAnswering).toBe(true);
  isolation.begin();
  expect(await attempt('c', doubtful)).toBe('thrown');
});

test("who has waited longest comes first of those that failed, and what ends with the process is nobody's", async () => {
  const { isolation, stopped, attempt } = start();
  await attempt('c', own);
  vi.advanceTimersByTime(1);
  await attempt('a', missingRight);
  vi.advanceTimersByTime(1_000);
  expect(isolation.due(['a', 'b', 'c'])).toEqual(['b', 'c', 'a']);
  stopped.abort();
  expect(await attempt('b', own)).toBe('thrown');
  expect(isolation.keys()).toEqual(['c', 'a']);
});

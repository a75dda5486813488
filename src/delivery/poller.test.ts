import { expect, test } from 'vitest';
import { restMs } from './poller.ts';

test.each([
  ['a quick poll', 250, 3, true, 250],
  ['a slow poll takes a fifth of the time', 250, 200, true, 800],
  ['a very slow poll makes nobody wait for more than a second', 250, 60_000, true, 1_000],
  ['a poll that failed after a minute is followed by the next at once', 250, 60_000, false, 250],
  ['a long interval stays', 60_000, 60_000, true, 60_000],
])('%s', (_, intervalMs, tookMs, isWell, expected) => {
  expect(restMs(intervalMs, tookMs, isWell)).toBe(expected);
});

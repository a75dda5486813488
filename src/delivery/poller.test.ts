import { expect, test } from 'vitest';
import { restMs } from './poller.ts';

test.each([
  ['quick polls', 250, 3, 3, true, 250],
  ['slow polls take a fifth of the time', 250, 200, 200, true, 800],
  ['very slow polls make nobody wait for more than a second', 250, 60_000, 60_000, true, 1_000],
  ['a slow poll behind a quick one has waited for something', 250, 60_000, 3, true, 250],
  ['a quick poll behind a slow one', 250, 3, 60_000, true, 250],
  ['a poll that failed after a minute is followed by the next at once', 250, 60_000, 60_000, false, 250],
  ['a long interval stays', 60_000, 60_000, 60_000, true, 60_000],
])('%s', (_, intervalMs, tookMs, beforeMs, isWell, expected) => {
  expect(restMs(intervalMs, { tookMs, beforeMs, isWell })).toBe(expected);
});

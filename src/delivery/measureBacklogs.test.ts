import { expect, test } from 'vitest';
import { restMs } from './measureBacklogs.ts';

test('rests three times as long as a count took, but leaves what waits unknown for seconds at most', () => {
  expect(restMs(2_000)).toBe(6_000);
  expect(restMs(60_000)).toBe(15_000);
});

import { expect, it } from 'vitest';
import { makeDay } from './dayView.ts';

const now = Date.parse('2026-01-31T08:20:00Z');
const hour = (at: string, requests: number, failures: Record<string, number> = {}) => ({
  ...{ hour: `2026-01-${at}:00.000Z`, accepted: requests * 10, requests, failures },
});

it('has a bar for each of 24 hours, the running one last, and says what they came to', () => {
  const hours = [
    hour('30T09:00', 100),
    hour('31T07:00', 50, { Timeout: 24, NotFound: 1 }),
    hour('31T08:00', 1),
  ];
  const { bars, words } = makeDay(hours, now);
  expect(bars.map(({ all }) => all)).toEqual([100, ...Array(21).fill(0), 50, 8]);
  expect(bars.map(({ failed }) => failed)).toEqual([...Array(22).fill(0), 25, 0]);
  expect(bars.at(-1)?.label).toBe('2026-01-31T08:00:00.000Z');
  expect(words).toBe('Last 24 hours: 1,510 entries accepted, 25 of 151 requests failed');
});

it.each([
  [[], 'no request'],
  [[hour('31T08:00', 1)], '10 entries accepted in 1 request'],
  [[{ ...hour('31T08:00', 1, { Timeout: 1 }), accepted: 0 }], '0 entries accepted, 1 of 1 request failed'],
])('says it of %j', (hours, words) => {
  expect(makeDay(hours, now).words).toBe(`Last 24 hours: ${words}`);
});

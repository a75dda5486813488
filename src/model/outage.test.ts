import { expect, test } from 'vitest';
import { describeDuration, levelAfter, nextOutage, type Outage } from './outage.ts';

const hour = 3_600_000;
const start = Date.parse('2026-01-01T00:00:00Z');
const since = new Date(start).toISOString();
const failing = { since: start, isConfirmed: true, hasDelivered: false, delivered: 7 };

test.each([
  [0, 0],
  [hour - 1, 0],
  [hour, 1],
  [24 * hour - 1, 1],
  [24 * hour, 2],
  [72 * hour, 3],
  [144 * hour - 1, 3],
  [144 * hour, 4],
  [720 * hour, 12],
])('a failure of %i ms has reached level %i', (ms, level) => {
  expect(levelAfter(ms)).toBe(level);
});

test('each level is told once, one that was missed not at all, and a recovery after it', () => {
  const told: string[] = [];
  let kept: Outage | null = null;
  const look = (at: number, facts: Partial<Parameters<typeof nextOutage>[1]> = {}) => {
    const step = nextOutage(kept, { ...failing, ...facts }, start + at);
    if (step === null) return;
    kept = step.to;
    if (step.news) told.push(`${step.news.kind} ${step.news.duration} since ${step.news.since}`);
  };
  look(0);
  look(hour - 1);
  look(hour);
  look(2 * hour);
  look(80 * hour);
  look(80 * hour + 1);
  expect(kept).toEqual({ since, told: 3, toldSince: since, delivered: 7 });
  look(90 * hour, { since: null, hasDelivered: true });
  look(91 * hour, { since: null, hasDelivered: true });
  expect(told).toEqual([
    `failing 1 hour since ${since}`,
    `failing 3 days since ${since}`,
    `recovered 3 days since ${since}`,
  ]);
  expect(kept).toBeNull();
});

test('what an earlier process left behind is told only once this one sees it fail', () => {
  const kept = { since, told: 0, toldSince: null };
  expect(nextOutage(kept, { ...failing, isConfirmed: false }, start + 5 * hour)).toBeNull();
  expect(nextOutage(kept, failing, start + 5 * hour)?.news?.kind).toBe('failing');
});

test('what another process has delivered since it was told is a recovery, which this one tells', () => {
  const kept = { since: null, told: 0, toldSince: since, delivered: 7 };
  const idle = { ...failing, since: null, isConfirmed: false };
  expect(nextOutage(kept, idle, start + hour)).toBeNull();
  const step = nextOutage(kept, { ...idle, delivered: 8 }, start + hour);
  expect(step).toEqual({ to: null, news: { kind: 'recovered', since, duration: '1 hour' } });
});

test('a stream that was suspended after it was told owes the recovery, and its clock starts over', () => {
  const kept = { since, told: 2, toldSince: since };
  const suspended = nextOutage(kept, { ...failing, since: null }, start + 30 * hour);
  expect(suspended).toEqual({ to: { since: null, told: 0, toldSince: since }, news: null });
  const resumed = { ...failing, since: start + 40 * hour };
  const again = nextOutage(suspended?.to ?? null, resumed, start + 40.5 * hour);
  expect(again?.news).toBeNull();
  expect(nextOutage(again?.to ?? null, resumed, start + 41 * hour)?.news?.kind).toBe('failing');
  const delivered = { ...failing, since: null, hasDelivered: true };
  expect(nextOutage(again?.to ?? null, delivered, start + 41 * hour)?.news).toMatchObject({
    kind: 'recovered',
    since,
  });
});

test('a short failure is told neither when it begins nor when it ends', () => {
  const begun = nextOutage(null, failing, start + 1);
  expect(begun).toEqual({ to: { since, told: 0, toldSince: null }, news: null });
  const over = { ...failing, since: null, hasDelivered: true };
  expect(nextOutage(begun?.to ?? null, over, start + 2)).toEqual({ to: null, news: null });
  expect(nextOutage(null, over, start + 3)).toBeNull();
});

test.each([
  [-2 * hour, '0 minutes'],
  [59_000, '0 minutes'],
  [60_000, '1 minute'],
  [59 * 60_000, '59 minutes'],
  [hour, '1 hour'],
  [47 * hour, '47 hours'],
  [72 * hour, '3 days'],
])('%i ms are %s', (ms, words) => {
  expect(describeDuration(ms)).toBe(words);
});

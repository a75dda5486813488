import { expect, test } from 'vitest';
import { describeInterval, describeRetention } from './describeRetention.ts';

const kept = {
  keep: '365 days',
  oldestAt: null,
  undelivered: 0,
  parked: 0,
  held: 0,
  unsealed: 0,
  waitsFor: [],
  waitingSince: null,
  deleted: 0,
  holds: [],
};

test.each([
  ['365 days', '365 days'],
  ['1 year 2 mons', '1 year 2 months'],
  ['1 mon', '1 month'],
  ['12:00:00', '12 hours'],
  ['01:00:00', '1 hour'],
  ['1 day 00:05:00', '1 day 5 minutes'],
  ['00:00:03', '3 seconds'],
  ['00:01:30', '00:01:30'],
])('writes %s as people do', (text, words) => {
  expect(describeInterval(text)).toBe(words);
});

test('says nothing of what waits while nothing does, or while entries are kept forever', () => {
  expect(describeRetention(kept).waiting).toEqual([]);
  expect(describeRetention({ ...kept, keep: null, held: 3 })).toEqual({
    period: 'Entries are kept forever.',
    waiting: [],
  });
});

test('names what keeps entries past their time', () => {
  const waitsFor = ['flows.acme-siem', 'flows.lake'];
  expect(
    describeRetention({ ...kept, undelivered: 1, parked: 1_200, held: 2, unsealed: 4, waitsFor }).waiting,
  ).toEqual([
    '1 entry stays past the period, not delivered to acme-siem, lake yet.',
    '1,200 entries stay past the period, parked for acme-siem, lake.',
    '4 entries stay past the period, not sealed yet.',
    '2 entries stay past the period, held.',
  ]);
});

import { expect, it } from 'vitest';
import type { DeliveryState } from '../../database/deliveries.ts';
import { type StateName, states } from '../../model/states.ts';
import { describeDelivery, type EntryDestination } from './describeDelivery.ts';

const error = { time: '2026-01-31T08:00:00Z', reason: 'NotFound', message: 'No.', httpStatus: 404 };
const siem: EntryDestination = {
  name: 'siem',
  state: 'delivering',
  url: '/siem',
  lastError: null,
  rejected: 0,
  isHeld: true,
  clockSkewMs: 0,
};
const pending: DeliveryState = { kind: 'pending' };

it.each<[EntryDestination['state'], string, string | null]>([
  ['holding', 'Waiting: siem is stopped (404).', 'Fix it'],
  [
    'misconfigured',
    'Not delivered yet. The configuration of siem cannot be used; its last good version stays in force.',
    'Fix it',
  ],
  ['retrying', 'Waiting: siem does not accept entries right now (404). Each is kept and retried.', 'See why'],
  ['suspended', 'Waiting until siem is resumed.', 'Open it'],
  ['database-unavailable', 'Waiting: the collector cannot use its database right now.', null],
  ['not-reporting', 'Waiting: no collector reports on siem right now.', 'Open it'],
  ['deleted', 'The destination was deleted.', null],
  ['unknown', 'Not delivered yet. The destinations cannot be read right now.', null],
  ['delivering', 'Not delivered yet: it waits for its turn.', null],
])('says of an entry that a destination which is %s does not have: %s', (state, detail, words) => {
  const view = describeDelivery({ ...siem, state, lastError: error }, pending);
  expect(view).toMatchObject({ detail, link: words && { url: '/siem', words } });
});

it('says in other words what has no good version, and what is wrong about a 200', () => {
  const view = (changes: Partial<EntryDestination>) =>
    describeDelivery(
      { ...siem, lastError: { ...error, reason: 'NotOtlp', httpStatus: 200 }, ...changes },
      pending,
    ).detail;
  expect(view({ state: 'misconfigured', isHeld: false })).toBe(
    'Waiting: the configuration of siem cannot be used.',
  );
  expect(view({ state: 'holding' })).toBe('Waiting: siem is stopped (NotOtlp).');
});

it('says which number the receiver has it under, as far as is known', () => {
  const delivered = { kind: 'delivered', notBefore: error.time, notAfter: error.time } as const;
  const detail = (numbers?: { first: number; last: number }) =>
    describeDelivery(siem, numbers ? { ...delivered, numbers } : delivered).detail;
  expect(detail()).toBe('');
  expect(detail({ first: 1_204, last: 1_204 })).toBe('It is number 1,204 there.');
  expect(detail({ first: 1_204, last: 1_260 })).toBe('It is one of the numbers 1,204 to 1,260 there.');
});

it('promises in no state that a pending entry will be delivered', () => {
  for (const state of Object.keys(states) as StateName[]) {
    const { word, detail, tone } = describeDelivery({ ...siem, state }, pending);
    expect(`${word} ${detail}`, state).not.toMatch(/\bwill be\b/);
    expect(tone).not.toBe('good');
  }
});

it('never says of a parked entry of a deleted destination that it is sent again', () => {
  const parked: DeliveryState = {
    ...{ kind: 'parked', sequence: 1, parkedAt: error.time, reason: 'EntryRefused', httpStatus: 400 },
    ...{ message: 'Bad body.', replayRequested: true },
  };
  const detailOf = (destination: Partial<EntryDestination>) =>
    describeDelivery({ ...siem, ...destination }, parked).detail;
  expect(detailOf({ state: 'deleted' })).toContain('deleted, so it is not sent again');
  expect(detailOf({ state: 'holding', lastError: error })).toContain('siem is stopped (404)');
});

it('says of an entry of a partly rejected request that it may be one of the rejected', () => {
  const rejection = {
    ...{ time: '2026-01-31T08:00:00Z', reason: 'PartialSuccess' },
    message: 'The receiver took the request but rejected 2 of the entries with sequence numbers 5 to 9.',
  };
  const wordOf = (notBefore: string, notAfter: string, rejected = 2, clockSkewMs = 0) =>
    describeDelivery(
      { ...siem, rejected, lastError: rejection, clockSkewMs },
      { kind: 'delivered', notBefore, notAfter },
    ).word;
  expect(wordOf('2026-01-31T07:59:58Z', '2026-01-31T08:00:00Z')).toBe('Delivered or rejected');
  expect(wordOf('2026-01-31T07:00:00Z', '2026-01-31T07:30:00Z')).toBe('Delivered');
  expect(wordOf('2026-01-31T08:00:30Z', '2026-01-31T08:01:00Z')).toBe('Delivered');
  // By a clock that is an hour off, it may have been this one.
  expect(wordOf('2026-01-31T07:00:00Z', '2026-01-31T07:30:00Z', 2, 3_600_000)).toBe('Delivered or rejected');
  // Others were rejected at a time that nobody knows.
  expect(wordOf('2026-01-31T07:00:00Z', '2026-01-31T07:30:00Z', 5)).toBe('Delivered or rejected');
  expect(wordOf('2026-01-31T07:00:00Z', '2026-01-31T07:30:00Z', 0)).toBe('Delivered');
});

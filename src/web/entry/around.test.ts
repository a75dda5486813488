import { expect, it } from 'vitest';
import { listAround } from './around.ts';

const entry = {
  ...{ id: '1', uid: 'u', eventType: 'flow.deleted', sessionType: 'user', project: null },
  ...{ occurredAt: '2026-03-01T10:20:30.456789Z', actorId: 'u-7', actorName: 'Ada' },
};
const target = { label: 'flow', value: 'Sync orders', more: 0, id: '42' };
const linksOf = (...given: Parameters<typeof listAround>) =>
  listAround(...given).map(({ words, url }) => [
    words,
    Object.fromEntries(new URLSearchParams(url.split('?')[1])),
  ]);

it('leads to the actor’s hour, the minutes around, and everything about the target, with fixed times', () => {
  expect(linksOf(entry, target, 'acme')).toEqual([
    ['Ada, 10:00–11:00 UTC', { actor: 'u-7', from: '2026-03-01T10:00:00', to: '2026-03-01T11:00:00' }],
    ['10 minutes before and after', { from: '2026-03-01T10:10:30', to: '2026-03-01T10:30:31' }],
    ['All with “Sync orders”', { q: '"Sync orders"', range: 'all' }],
    ['All with “42”', { q: '"42"', range: 'all' }],
  ]);
});

it('leaves out what cannot be asked for exactly', () => {
  const nobody = { ...entry, actorId: null, actorName: null };
  const long = { ...target, value: 'x'.repeat(300), id: null };
  expect(linksOf(nobody, long, 'acme').map(([words]) => words)).toEqual(['10 minutes before and after']);
});

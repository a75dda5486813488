import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ExportStatus } from '../model/streamStatus.ts';
import { DatabaseWait } from './databaseWait.ts';

const config = { generation: 3, destination: { url: new URL('https://otel.example.com/v1/logs') } };
const valid = { kind: 'valid', config } as const;
const wrong = {
  kind: 'invalid',
  generation: 4,
  reason: 'SecretNotFound',
  problems: ['Secret flows/acme does not exist.'],
  lastGood: null,
} as const;
const green: ExportStatus = {
  observedGeneration: 3,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Delivering',
      message: 'Every entry is delivered.',
      lastTransitionTime: '2026-01-01T00:00:00.000Z',
      observedGeneration: 3,
    },
  ],
  deliveredEntries: 17,
  pendingEntries: 0,
};

let news = 0;
let wait: DatabaseWait;
const decide = () => wait.decide(valid, green, new Date());
const messageOf = () => {
  const decision = decide();
  return decision.kind === 'write' ? decision.status.conditions[0]?.message : decision.kind;
};

beforeEach(() => {
  vi.useFakeTimers();
  news = 0;
  wait = new DatabaseWait(() => {
    news++;
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('says nothing at first, and then by itself that nothing is known', () => {
  wait.tried('Postgres refuses connections.', true);
  expect(decide()).toEqual({ kind: 'stands' });
  vi.advanceTimersByTime(5_100);
  expect(news).toBe(2);
  const decision = decide();
  expect(decision).toMatchObject({
    kind: 'write',
    status: { deliveredEntries: 17, conditions: [{ status: 'False', reason: 'DatabaseUnavailable' }, {}] },
  });
  expect(decision).not.toHaveProperty('status.pendingEntries');
  expect(messageOf()).toContain('Postgres refuses connections.');
});

test('says so of a database that never answers', () => {
  vi.advanceTimersByTime(5_100);
  expect(messageOf()).toContain('The database has not answered yet.');
});

test('leaves the word to another collector, and takes it once that is gone', () => {
  vi.advanceTimersByTime(60_000);
  wait.tried('The database lacks migration 9.', false);
  expect(decide()).toEqual({ kind: 'stands' });
  wait.tried('The database lacks migration 9.', true);
  expect(messageOf()).toContain('lacks migration 9');
});

test('leaves a suspended export alone, until its manifest changes', () => {
  vi.advanceTimersByTime(5_100);
  const ready = {
    ...green.conditions[0],
    status: 'False',
    reason: 'Suspended',
  } as ExportStatus['conditions'][0];
  const suspended = { ...green, conditions: [ready] };
  expect(wait.decide(valid, suspended, new Date())).toEqual({ kind: 'stands' });
  expect(wait.decide(valid, { ...suspended, observedGeneration: 2 }, new Date()).kind).toBe('write');
});

test('says at once what is wrong with a manifest that nobody can run', () => {
  expect(wait.decide(wrong, null, new Date())).toMatchObject({
    status: { conditions: [{ reason: 'SecretNotFound' }, {}] },
  });
});

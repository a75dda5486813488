import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NotPrimaryError } from '../database/primary.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { Evidence } from './evidence.ts';
import { LeaseClock } from './lease.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

function setUp() {
  const lease = new LeaseClock(10_000);
  const evidence = new Evidence(lease, 250, makeLogger({ level: 'silent' }));
  const poll = (tookMs = 5) => {
    lease.renewed(performance.now());
    evidence.polled(tookMs);
  };
  return { lease, evidence, poll };
}

test('has none before the first lease', () => {
  expect(setUp().evidence.problem()?.reason).toBe('DatabaseUnavailable');
});

test('lasts for a few polls, not longer, and comes back with the next one', () => {
  const { evidence, poll } = setUp();
  poll();
  vi.advanceTimersByTime(2_000);
  expect(evidence.problem()).toBeNull();
  vi.advanceTimersByTime(1_500);
  const problem = evidence.problem();
  expect(problem?.message).toMatch(/has not answered the last polls/);
  vi.advanceTimersByTime(1_000);
  expect(evidence.problem()).toEqual(problem);
  poll();
  expect(evidence.problem()).toBeNull();
});

test('lasts longer where polls are slow, and not because one of them waited', () => {
  const { evidence, poll } = setUp();
  poll();
  vi.advanceTimersByTime(20_000);
  // Its answer is as old as the question.
  poll(20_000);
  expect(evidence.problem()).not.toBeNull();
  poll(2_000);
  expect(evidence.problem()).toBeNull();
  poll(2_000);
  vi.advanceTimersByTime(3_500);
  expect(evidence.problem()).toBeNull();
});

test('one failed poll is not an outage; several say what the database said', () => {
  const { evidence, poll } = setUp();
  poll();
  evidence.failed(new NotPrimaryError());
  expect(evidence.problem()).toBeNull();
  vi.advanceTimersByTime(4_000);
  evidence.failed(new NotPrimaryError());
  expect(evidence.problem()).toMatchObject({ reason: 'DatabaseNotPrimary', since: Date.now() });
});

test('is gone with the lease, though polls succeed', () => {
  const { lease, evidence } = setUp();
  lease.renewed(performance.now());
  vi.advanceTimersByTime(10_001);
  evidence.polled(5);
  expect(evidence.problem()?.message).toMatch(/lease of this collector could not be renewed/);
});

test('says nothing new once the lease has expired, when another replica may have the streams', () => {
  const { evidence, poll } = setUp();
  poll();
  vi.advanceTimersByTime(4_000);
  expect(evidence.problem()?.message).toMatch(/has not answered the last polls/);
  evidence.failed(Object.assign(new Error(), { code: 'ECONNREFUSED' }));
  const known = evidence.problem();
  expect(known?.message).toMatch(/refuses connections/);
  vi.advanceTimersByTime(6_001);
  evidence.failed(Object.assign(new Error(), { code: 'ENOTFOUND' }));
  expect(evidence.problem()).toEqual(known);
  poll();
  expect(evidence.problem()).toBeNull();
});

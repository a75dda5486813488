import { expect, test } from 'vitest';
import type { Failed } from '../model/outcome.ts';
import { Endpoint } from './endpoint.ts';

const refused = { kind: 'refused', reason: 'EntryRefused', message: '' } as const satisfies Failed;
const busy = { kind: 'retry', reason: 'RateLimited', message: '' } as const satisfies Failed;

function makeEndpoint() {
  return new Endpoint({
    serviceName: '',
    version: '',
    maxBatchBytes: 4 * 1024 * 1024,
    maxRequestsInFlight: 4,
    retry: { initialMs: 100, maxMs: 100_000 },
    hold: { initialMs: 10_000, maxMs: 100_000 },
  });
}

test('sends one small batch after a failure, and goes on at full speed once something is accepted', () => {
  const endpoint = makeEndpoint();
  const full = endpoint.batchLimits(1_000);
  endpoint.failed(busy);
  expect(endpoint.isProbed).toBe(true);
  expect(endpoint.batchLimits(1_000).records).toBeLessThan(full.records);
  endpoint.accepted(100, null);
  expect(endpoint.isProbed).toBe(false);
  expect(endpoint.batchLimits(1_000)).toEqual(full);
});

test('waits longer after each failure, longer for a person than for a receiver, and starts over with an acceptance', () => {
  const endpoint = makeEndpoint();
  const first = endpoint.failed(busy);
  expect(first).toBeLessThanOrEqual(100);
  for (let i = 0; i < 5; i++) endpoint.failed(busy);
  expect(endpoint.failed(busy)).toBeGreaterThan(first);
  expect(endpoint.failed(refused)).toBeGreaterThanOrEqual(5_000);
  endpoint.accepted(1, null);
  expect(endpoint.failed(busy)).toBeLessThanOrEqual(100);
});

test('halves what it sends while it looks for a refused record', () => {
  const endpoint = makeEndpoint();
  endpoint.isolation.refused(500);
  expect([endpoint.isProbed, endpoint.batchLimits(1_000).records]).toEqual([true, 250]);
});

test('keeps the last accepted record until the endpoint changes, and then forgets all it has learned', () => {
  const endpoint = makeEndpoint();
  const full = endpoint.batchLimits(1_000);
  const record = Uint8Array.of(1);
  endpoint.accepted(1, record);
  endpoint.accepted(1, null);
  expect(endpoint.lastAccepted).toBe(record);
  endpoint.isolation.refused(500);
  endpoint.pace.tooLarge(1_000);
  for (let i = 0; i < 5; i++) endpoint.failed(busy);
  endpoint.forget();
  expect([endpoint.lastAccepted, endpoint.isProbed]).toEqual([null, false]);
  expect(endpoint.batchLimits(1_000)).toEqual(full);
  expect(endpoint.failed(busy)).toBeLessThanOrEqual(100);
});

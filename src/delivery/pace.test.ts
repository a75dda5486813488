import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

const options = {
  serviceName: '',
  version: '',
  maxBatchBytes: 4 * 1024 * 1024,
  maxRequestsInFlight: 4,
  retry: { initialMs: 1, maxMs: 1 },
  hold: { initialMs: 1, maxMs: 1 },
};

test('slow answers, good ones too, leave one request and small pages; quick ones bring back the rest', () => {
  const pace = new Pace(options);
  const next = pace.next(1_000, Number.POSITIVE_INFINITY);
  const full = next.pageBytes();
  for (let i = 0; i < 2; i++) {
    next.onAnswer(20_000);
    pace.succeeded();
  }
  expect(next.maxInFlight()).toBe(1);
  expect(next.pageBytes()).toBeLessThan(full);
  for (let i = 0; i < 2; i++) {
    next.onAnswer(50);
    pace.succeeded();
  }
  expect([next.maxInFlight(), next.pageBytes()]).toEqual([4, full]);
});

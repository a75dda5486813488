import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

test('slow answers, good ones too, leave one request and small pages; quick ones bring back the rest', () => {
  const pace = new Pace({ maxBatchBytes: 4 * 1024 * 1024, maxRequestsInFlight: 4 });
  const full = pace.pageBytes;
  for (let i = 0; i < 2; i++) {
    pace.answered(20_000);
    pace.succeeded();
  }
  expect(pace.maxInFlight).toBe(1);
  expect(pace.pageBytes).toBeLessThan(full);
  for (let i = 0; i < 2; i++) {
    pace.answered(50);
    pace.succeeded();
  }
  expect([pace.maxInFlight, pace.pageBytes]).toEqual([4, full]);
});

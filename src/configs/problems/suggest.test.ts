import { describe, expect, it } from 'vitest';
import { editDistance, suggestName } from './suggest.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['endpoint', 'endpoint', 0],
    ['endpiont', 'endpoint', 1],
    ['endpont', 'endpoint', 1],
    ['enddpoint', 'endpoint', 1],
    ['kitten', 'sitting', 3],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe('suggestName', () => {
  const names = ['endpoint', 'headers', 'maxBatchSize', 'timeoutSeconds', 'tls', 'name'];
  it.each([
    ['endpiont', 'endpoint'],
    ['Endpoint', 'endpoint'],
    ['header', 'headers'],
    ['batchSize', 'maxBatchSize'],
    ['tsl', 'tls'],
    ['nam', 'name'],
  ])('takes %j for %j', (name, meant) => {
    expect(suggestName(name, names)).toBe(meant);
  });

  it.each(['protocol', 'e', '', 'x'.repeat(100_000)])('has no suggestion for %j', (name) => {
    expect(suggestName(name, names)).toBeNull();
  });
});

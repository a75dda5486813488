import { describe, expect, test } from 'vitest';
import { makeEntries, type NewEntry } from './entries.ts';
import { eventKinds } from './events.ts';
import { toJsonText } from './json.ts';
import { makeRandom } from './random.ts';

const at = new Date('2026-03-01T09:00:00Z');

function sample(seed: number, count: number): NewEntry[] {
  const random = makeRandom(seed);
  return Array.from({ length: count }, () => makeEntries(random, at, 1)).flat();
}

test('makes the same entries from the same seed', () => {
  expect(sample(7, 200)).toEqual(sample(7, 200));
  expect(sample(8, 200)).not.toEqual(sample(7, 200));
});

test('shows the whole range a collector meets', () => {
  const entries = sample(1, 3_000);
  const distinct = (key: keyof NewEntry) => new Set(entries.map((entry) => entry[key]));
  expect(distinct('organization')).toEqual(new Set(['acme', 'globex', 'initech', 'hooli']));
  expect(distinct('eventType')).toEqual(new Set(eventKinds.map((kind) => kind.type)));
  expect(distinct('sessionType')).toEqual(new Set(['user', 'api_key', 'oauth2_client', 'service']));
  expect(distinct('project')).toContain(null);
  expect(distinct('actorName')).toContain(null);
  expect(entries.some((entry) => /:\d{35,}[,}]/.test(entry.metadata))).toBe(true);
});

test('writes metadata that is JSON, with request data in each', () => {
  for (const entry of sample(2, 500)) {
    expect(JSON.parse(entry.metadata)).toMatchObject({
      request: {
        ip: expect.any(String),
        userAgent: expect.any(String),
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      },
    });
  }
});

test('gives the entries of one transaction one organization and one time', () => {
  const entries = makeEntries(makeRandom(3), at, 5);
  expect(entries).toHaveLength(5);
  expect(new Set(entries.map((entry) => entry.organization)).size).toBe(1);
  expect(new Set(entries.map((entry) => entry.occurredAt))).toEqual(new Set([at]));
});

describe('JSON text', () => {
  test('keeps integers of any size', () => {
    expect(toJsonText({ a: 2n ** 100n, b: [1, -1.5, null, true, 'x"\n'], c: {} })).toBe(
      '{"a":1267650600228229401496703205376,"b":[1,-1.5,null,true,"x\\"\\n"],"c":{}}',
    );
  });
});

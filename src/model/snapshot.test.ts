import { expect, test } from 'vitest';
import { isVisible, parseSnapshot } from './snapshot.ts';

test.each([
  ['10:10:', { xmin: 10n, xmax: 10n, xip: [] }],
  ['10:20:10,14,15', { xmin: 10n, xmax: 20n, xip: [10n, 14n, 15n] }],
  [
    '9223372036854775807:9223372036854775807:',
    { xmin: 9223372036854775807n, xmax: 9223372036854775807n, xip: [] },
  ],
])('reads %s', (text, snapshot) => {
  expect(parseSnapshot(text)).toEqual(snapshot);
});

test.each(['', '10', '10:20', '10:20:x', 'null'])('refuses %j', (text) => {
  expect(() => parseSnapshot(text)).toThrow('not a pg_snapshot');
});

test.each([
  [9n, true],
  [10n, false],
  [11n, true],
  [14n, false],
  [19n, true],
  [20n, false],
  [21n, false],
])('%s is visible in 10:20:10,14: %s', (xid, visible) => {
  expect(isVisible(xid, parseSnapshot('10:20:10,14'))).toBe(visible);
});

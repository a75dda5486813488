import { expect, it } from 'vitest';
import { findChanges } from './findChanges.ts';
import { Payload } from './payload.ts';

const changesOf = (payload: unknown) =>
  findChanges(new Payload(typeof payload === 'string' ? payload : JSON.stringify(payload))).map(
    ({ path, before, after }) => [path, before, after],
  );

it.each<[string, unknown, unknown[]]>([
  ['a pair', { retries: { before: 3, after: 5 } }, [['retries', '3', '5']]],
  ['old and new of the whole payload', { action: 'x', old: 'a', new: 'b' }, [['', '"a"', '"b"']]],
  ['from and to', { size: { from: 1, to: 2 } }, [['size', '1', '2']]],
  ['exact numbers', '{"n": {"old": 9007199254740993, "new": 1.50}}', [['n', '9007199254740993', '1.50']]],
  [
    'objects, key by key, equal ones left out',
    { before: { a: 1, b: 2, c: { d: 1, e: 1 } }, after: { a: 1, b: 3, c: { d: 2, e: 1 } } },
    [
      ['b', '2', '3'],
      ['c.d', '1', '2'],
    ],
  ],
  [
    'what came',
    { before: null, after: { a: 1, b: [2] } },
    [
      ['a', null, '1'],
      ['b', null, '[2]'],
    ],
  ],
  ['what went', { flow: { before: { a: 1 }, after: null } }, [['flow.a', '1', null]]],
  [
    'lists as they are',
    { before: ['viewer'], after: ['viewer', 'admin'] },
    [['', '["viewer"]', '["viewer","admin"]']],
  ],
  [
    'changes by field',
    { changes: { a: ['x', 'y'], b: { from: 1, to: 2 }, c: { old: null, new: true } } },
    [
      ['a', '"x"', '"y"'],
      ['b', '1', '2'],
      ['c', 'null', 'true'],
    ],
  ],
  [
    'a list with paths',
    {
      changes: [
        { path: '/a', before: 1, after: 2 },
        { path: '/b', before: null, after: 'x' },
      ],
    },
    [
      ['/a', '1', '2'],
      ['/b', 'null', '"x"'],
    ],
  ],
  [
    'a list with fields, elsewhere',
    { edits: [{ field: 'a', oldValue: 1, newValue: 2 }] },
    [['edits.a', '1', '2']],
  ],
  [
    'several conventions at once',
    { changes: [{ path: '/a', from: 1, to: 2 }], revision: { before: 3, after: 4 } },
    [
      ['/a', '1', '2'],
      ['revision', '3', '4'],
    ],
  ],
  // Not changes.
  ['a mail', { from: 'a@x', to: 'b@x' }, []],
  ['a period', { dateRange: { from: '2026-01-01', to: '2026-02-01' } }, []],
  ['from and to among others', { mail: { from: 'a', to: 'b', subject: 's' } }, []],
  ['pages of a list', { query: { before: 'cursor', after: 'other' } }, []],
  ['half a pair', { title: { from: 'a' }, x: { before: 1 } }, []],
  ['lists of any two', { tags: ['a', 'b'], changes: { tags: ['a', 'b', 'c'] } }, []],
  ['nothing that differs', { a: { before: 1, after: 1 } }, []],
])('finds %s', (_what, payload, expected) => {
  expect(changesOf(payload)).toEqual(expected);
});

it('stops at two hundred, and takes depth and width without a stack', () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, [n, n + 1]]));
  expect(changesOf({ changes: many })).toHaveLength(201);
  expect(changesOf(`${'{"a":'.repeat(5_000)}{"before":1,"after":2}${'}'.repeat(5_000)}`)).toEqual([]);
});

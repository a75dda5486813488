import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Filters, parseFilters, presets, toEntryQuery, toSearch } from './filters.ts';

const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => text.trim().replaceAll('\0', ''))
  .filter((text) => text !== '' && text.isWellFormed());
const words = fc.uniqueArray(word, { maxLength: 4 }).map((all) => [...all].sort());
const minute = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2199-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 16));
const filters: fc.Arbitrary<Filters> = fc.record({
  text: fc.oneof(fc.constant(''), word),
  eventTypes: words,
  actor: fc.option(word),
  sessionTypes: words,
  project: fc.oneof(fc.constant(null), fc.constant('none' as const), fc.record({ name: word })),
  time: fc.oneof(
    fc.record({ preset: fc.constantFrom(...presets) }),
    fc.record({ from: minute, to: fc.option(minute) }),
    fc.record({ from: fc.constant(null), to: minute }),
  ),
  has: fc
    .uniqueArray(
      fc.dictionary(word, fc.oneof(word, fc.integer(), fc.boolean())).map((value) => JSON.stringify(value)),
      { maxLength: 3 },
    )
    .map((all) => [...all].sort()),
});

describe('filters in a URL', () => {
  it('come back as they were, whatever they hold', () => {
    fc.assert(
      fc.property(filters, (given) => {
        const search = toSearch(given);
        const { filters: read, problems } = parseFilters(new URLSearchParams(search));
        expect(problems).toEqual([]);
        expect(read).toEqual(given);
        expect(toSearch(read)).toBe(search);
      }),
      { numRuns: 300 },
    );
  });

  it('are always valid, and canonical after one reading, whatever somebody types', () => {
    const key = fc.constantFrom(
      'q',
      'type',
      'actor',
      'session',
      'project',
      'noproject',
      'range',
      'from',
      'to',
      'has',
      'before',
      'x',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom('7d', '2026-02-31', '2026-02-03', '{"a":1}', '\0'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (pairs) => {
        const { filters: read } = parseFilters(new URLSearchParams(pairs));
        const search = toSearch(read);
        expect(search).not.toMatch(/(^|&)[a-z]+=(&|$)/);
        const again = parseFilters(new URLSearchParams(search));
        expect(again.problems).toEqual([]);
        expect(again.filters).toEqual(read);
        expect(JSON.stringify(toEntryQuery(read, 'acme', new Date()))).not.toContain('\\u0000');
      }),
      { numRuns: 500 },
    );
  });

  it('say in words what they leave out', () => {
    const bad = new URLSearchParams([
      ['range', '99d'],
      ['has', '{"a":'],
      ['before', 'xyz'],
      ['q', 'a'.repeat(201)],
    ]);
    expect(parseFilters(bad).problems).toEqual([
      `“${'a'.repeat(60)}…” is not a search of at most 200 characters and was left out.`,
      '“{"a":” is not a JSON object to look for and was left out.',
      '“xyz” is not a place in the list and was left out.',
      '“99d” is not a range (1h, 24h, 7d, 30d, all) and was left out.',
    ]);
  });

  it('take a chosen range for what was meant when a form sends old times along', () => {
    const read = (search: string) => parseFilters(new URLSearchParams(search)).filters.time;
    expect(read('range=7d&from=2026-01-01T00:00&to=')).toEqual({ preset: '7d' });
    expect(read('range=custom&from=2026-01-01T00:00&to=')).toEqual({ from: '2026-01-01T00:00', to: null });
    expect(read('range=custom&from=&to=')).toEqual({ preset: 'all' });
    expect(read('from=2026-01-01')).toEqual({ from: '2026-01-01T00:00', to: null });
  });
});

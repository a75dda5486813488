import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { render } from '../reply/render.ts';
import { facetKeys, makeFacetView } from './facets.ts';
import { makeFilterBar } from './filterBar.ts';
import { listFilters, noFilters, parseFilters, toEntryQuery, toSearch } from './filters.ts';
import { type Filters, filterTable } from './filterTable.ts';
import { presets } from './timeRange.ts';

const word = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => text.trim().replaceAll('\0', ''))
  .filter((text) => text !== '' && text.isWellFormed());
/** Blanks at the ends, and nothing but blanks, are names too. */
const name = fc
  .tuple(
    fc.constantFrom('', ' ', '\t', '\u00a0', '\n', '\r\n'),
    fc.option(word, { nil: '' }),
    fc.constantFrom('', ' ', '\n'),
  )
  .map((parts) => parts.join(''))
  .filter((text) => text !== '');
const words = fc.uniqueArray(word, { minLength: 1, maxLength: 4 }).map((all) => [...all].sort());
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 }).map((all) => [...all].sort());
const projects = fc
  .tuple(fc.boolean(), names)
  .chain(([isNone, all]) => fc.constantFrom(isNone ? [null, ...all] : all, isNone ? [null] : all));
const minute = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2199-12-31T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 16));
const time = fc.oneof(
  minute,
  fc.tuple(minute, fc.nat({ max: 999_999 })).map(([at, n]) => `${at}:07.${String(n).padStart(6, '0')}`),
);

/** Values of each filter but the one that an address without it has. */
const values: { readonly [Name in keyof Filters]: fc.Arbitrary<Filters[Name]> } = {
  text: word,
  eventTypes: words,
  notEventTypes: words,
  actors: names,
  notActors: names,
  sessionTypes: words,
  notSessionTypes: words,
  projects: projects,
  notProjects: projects,
  time: fc.oneof(
    fc.record({ preset: fc.constantFrom(...presets.filter((preset) => preset !== '30d')) }),
    fc.record({ from: time, to: fc.option(time) }),
    fc.record({ from: fc.constant(null), to: time }),
  ),
  undelivered: words,
  has: fc
    .uniqueArray(
      fc.dictionary(word, fc.oneof(word, fc.integer(), fc.boolean())).map((value) => JSON.stringify(value)),
      { minLength: 1, maxLength: 3 },
    )
    .map((all) => [...all].sort()),
};
const filterNames = Object.keys(filterTable) as Array<keyof Filters>;
const filters: fc.Arbitrary<Filters> = fc
  .record<Partial<Filters>>(values, { requiredKeys: [] })
  .map((some) => ({ ...noFilters, ...some }));
/** The names that a filter has in the address. */
const keysOf = (name: keyof Filters): string[] => [
  ...new Set(
    fc
      .sample(values[name] as fc.Arbitrary<unknown>, { numRuns: 100, seed: 1 })
      .flatMap((value) => [...new URLSearchParams(toSearch({ ...noFilters, [name]: value })).keys()]),
  ),
];

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
    const key = fc.constantFrom(...filterNames.flatMap(keysOf), 'before', 'x');
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.constantFrom('7d', '2026-02-31', '2026-02-03', '{"a":1}', '\0'),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(key, value), { maxLength: 12 }), (pairs) => {
        const { filters: read } = parseFilters(new URLSearchParams(pairs));
        const search = toSearch(read);
        expect(search).not.toMatch(/(^|&)[a-z-]+=(&|$)/);
        const again = parseFilters(new URLSearchParams(search));
        expect(again.problems).toEqual([]);
        expect(again.filters).toEqual(read);
        expect(JSON.stringify(toEntryQuery(read, 'acme', new Date()))).not.toContain('\\u0000');
      }),
      { numRuns: 500 },
    );
  });

  it('have names of their own in it', () => {
    const keys = [
      ...filterNames.flatMap(keysOf),
      'after',
      'auto',
      'before',
      'live',
      'none',
      'overview',
      'seen',
      'since',
      'whole',
    ];
    expect(keys).toEqual([...new Set(keys)]);
  });

  it('say in words what they leave out', () => {
    const bad = new URLSearchParams([
      ['range', '99d'],
      ['has', '{"a":'],
      ['before', 'xyz'],
      ['q', 'a'.repeat(201)],
    ]);
    expect(parseFilters(bad).problems).toEqual([
      '“99d” is not a range (1h, 24h, today, yesterday, 7d, 30d, all), so it was ignored.',
      `“${'a'.repeat(60)}…” is not a search of at most 200 characters, so it was ignored.`,
      '“{"a":” is not a JSON object, so it was ignored.',
      '“xyz” is not a place in the list, so it was ignored.',
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

describe('every filter', () => {
  const each = fc
    .constantFrom(...filterNames)
    .chain((name) =>
      (values[name] as fc.Arbitrary<unknown>).map((value) => ({ ...noFilters, [name]: value })),
    );

  it('has a chip for each part, and without all of them nothing of it is left', () => {
    fc.assert(
      fc.property(filters, (given) => {
        for (const { row, value, name } of listFilters(given)) {
          let rest = value;
          for (let chips = row.chips(rest); chips.length > 0; chips = row.chips(rest)) {
            for (const { label } of chips) expect(label).not.toBe('');
            expect(chips[0]?.rest).not.toEqual(rest);
            rest = chips[0]?.rest;
          }
          expect(rest).toEqual(name === 'time' ? { preset: 'all' } : noFilters[name]);
        }
      }),
    );
  });

  it('has its inputs above the list, which send it again as it is', () => {
    fc.assert(
      fc.property(fc.oneof(each, filters), (given) => {
        const destinations = given.undelivered.map((key) => ({ key, name: key }));
        const facets = facetKeys.map((key) => makeFacetView(given, 'acme', key, null));
        const bar = makeFilterBar(given, 'acme', destinations);
        const form = readForm(
          render('audit-logs/filter-bar', { ...bar, facets, withOverview: false, overviewUrl: '' }),
        );
        expect(parseFilters(form)).toEqual({ filters: given, before: null, problems: [] });
      }),
    );
  });
});

/** What a browser would send. */
function readForm(html: string): URLSearchParams {
  const sent = new URLSearchParams();
  for (const [input] of html.matchAll(/<input\b[^>]*>/g)) {
    const attribute = (name: string): string | undefined =>
      input.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1]?.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => {
        return { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }[entity] ?? entity;
      });
    const name = attribute('name');
    const isChoice = /checkbox|radio/.test(attribute('type') ?? '');
    const value = attribute('value') ?? '';
    // Browsers drop line breaks in text inputs, but not in hidden ones.
    const held = attribute('type') === 'hidden' || isChoice ? value : value.replace(/[\r\n]/g, '');
    if (name && (!isChoice || /\schecked>$/.test(input))) sent.append(name, held);
  }
  return sent;
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listNeedles, noConditions } from './entryQuery.ts';
import { parseSearch, quoteTerm } from './searchTerms.ts';

const read = (typed: string) =>
  parseSearch(typed).map(({ text, isExcluded }) => (isExcluded ? ['without', text] : text));

test.each<[string, unknown[]]>([
  ['', []],
  ['  \t', []],
  ['deploy', ['deploy']],
  [' deploy   failed\nweb ', ['deploy', 'failed', 'web']],
  ['"deploy failed"', ['deploy failed']],
  ['ada "deploy failed" web', ['ada', 'deploy failed', 'web']],
  ['deploy -staging', ['deploy', ['without', 'staging']]],
  [
    '-"not this" -that',
    [
      ['without', 'not this'],
      ['without', 'that'],
    ],
  ],
  // Only at the beginning of a word.
  ['rare-7f3c a - b', ['rare-7f3c', 'a', '-', 'b']],
  ['"-1"', ['-1']],
  // While it is being typed.
  ['"deploy fai', ['deploy fai']],
  ['"', ['"']],
  ['""', ['""']],
  ['-', ['-']],
  ['"say \\"hi\\" to"', ['say "hi" to']],
  ['"a"b', ['a', 'b']],
  ['a"b c"d', ['a"b', 'c"d']],
  ['"flowId": 42', ['"flowId": 42']],
  ['"flowId":42 ada', ['"flowId":42', 'ada']],
  ['-"status": "not found" x', [['without', '"status": "not found"'], 'x']],
  ['"list":[1, {"b": "] x"}] y', ['"list":[1, {"b": "] x"}]', 'y']],
  ['{"b": "x y"}', ['{"b": "x y"}']],
  ['{not json', ['{not', 'json']],
  // A quote that asks for nothing decides nothing about the brackets before it.
  ['{"}a "', ['{"}a']],
  ['{"}a', ['{"}a']],
  ['"list": [1, 2', ['"list": [1, 2']],
  ['"key":', ['"key":']],
  ['"key": ', ['"key":']],
])('%j asks for %j', (typed, terms) => {
  expect(read(typed)).toEqual(terms);
});

test('the search index is probed for every word and phrase, and for nothing that is left out', () => {
  const query = { ...noConditions, organization: 'acme', from: null, to: null, eventTypes: ['a.b'] };
  expect(listNeedles({ ...query, text: 'ada "b c" -x' })).toEqual([['ada'], ['b c'], ['a.b']]);
  expect(listNeedles({ ...query, text: '-x' })).toEqual([['a.b']]);
});

const typing = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        'a',
        'b c',
        '"',
        '\\',
        ' ',
        '-',
        ':',
        '{',
        '}',
        '[',
        ']',
        ',',
        '1',
        '\n',
        '"k": ',
        '\\"',
      ),
      {
        maxLength: 14,
      },
    )
    .map((parts) => parts.join('')),
);

test('whatever is typed, there is a term for it, and without a minus every entry that holds the text holds its terms', () => {
  fc.assert(
    fc.property(typing, (typed) => {
      const terms = parseSearch(typed);
      expect(terms.length > 0).toBe(typed.trim() !== '');
      for (const { text, isExcluded } of terms) {
        expect(text).not.toBe('');
        if (!isExcluded && !text.includes('"')) expect(typed).toContain(text);
      }
      // Putting it together again changes nothing, nor does leaving one out change the others.
      const again = (some: typeof terms) => parseSearch(some.map(({ source }) => source).join(' '));
      expect(again(terms)).toEqual(terms);
      if (!/[{[]/.test(typed))
        for (const left of terms) {
          const others = terms.filter((each) => each !== left);
          expect(again(others)).toEqual(others);
        }
    }),
    { numRuns: 2_000 },
  );
});

test('a quoted text is read as itself', () => {
  fc.assert(
    fc.property(typing, (text) => {
      const quoted = quoteTerm(text);
      if (!/[\\"]/.test(text)) expect(quoted === null).toBe(text === '');
      if (quoted !== null) expect(parseSearch(quoted)).toEqual([{ text, isExcluded: false, source: quoted }]);
    }),
  );
});

/** Arbitrary JSON texts that jsonb takes: no `\u0000`, no half of a surrogate pair. */
import fc from 'fast-check';

/** Text that Postgres can hold. */
export const storableText = fc
  .oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      '',
      ' ',
      '"',
      '\\',
      '\n\t\u0001\u007f',
      '\u2028',
      '\ufeff',
      '😀',
      '\\u0000',
      'x'.repeat(300),
    ),
  )
  .map((text) => text.replaceAll('\u0000', ''));

const key = fc.oneof(
  storableText,
  fc.constantFrom(
    '',
    'a',
    'b.c',
    'b',
    'a"b',
    "a'b",
    'line\nbreak',
    '__proto__',
    '_msg',
    'log.record.uid',
    '$ref',
  ),
);

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
const integer = fc
  .tuple(fc.constantFrom('', '-'), digits(40))
  .map(([sign, text]) => sign + (text.replace(/^0+/, '') || '0'));
const number = fc.oneof(
  integer,
  fc.bigInt({ min: -(2n ** 63n) - 2n, max: 2n ** 63n + 1n }).map(String),
  fc.constantFrom(
    '9007199254740993',
    '9223372036854775807',
    '9223372036854775808',
    '-9223372036854775808',
    '-0',
    '0.0',
  ),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    .map((value) => (Object.is(value, -0) ? '-0' : `${value}`)),
  fc.tuple(integer, digits(30)).map((parts) => parts.join('.')),
  fc.tuple(integer, fc.constantFrom('e', 'E+', 'e-'), fc.nat(400)).map((parts) => parts.join('')),
);

const leaf = fc.oneof(
  number,
  storableText.map((text) => JSON.stringify(text)),
  fc.constantFrom('null', 'true', 'false', '{}', '[]', '""'),
);

const tree: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('tree')).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(key, tie('tree')))
      .map(
        (members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(', ')}}`,
      ),
  ),
})).tree;

/** Inside up to 200 containers. */
const deepTree = fc
  .tuple(tree, fc.array(fc.boolean(), { minLength: 20, maxLength: 200, size: 'max' }))
  .map(([inner, wraps]) =>
    wraps.reduce((text, isArray) => (isArray ? `[${text}]` : `{"k": ${text}, "": 1}`), inner),
  );

/** Any JSON text; one in ten is deep. */
export const jsonText = fc.oneof({ weight: 9, arbitrary: tree }, { weight: 1, arbitrary: deepTree });

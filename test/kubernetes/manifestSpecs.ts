import fc from 'fast-check';

/** Text near what a field takes: characters that mean something somewhere, in any order. */
const nearText = (pieces: readonly string[], maxLength = 8) =>
  fc.array(fc.constantFrom(...pieces), { maxLength }).map((parts) => parts.join(''));

const anyText = fc.oneof(
  fc.string({ maxLength: 12 }),
  // Not beyond U+FFFF, where the two count length differently.
  fc
    .array(fc.integer({ min: 0, max: 0xd7ff }), { maxLength: 6 })
    .map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom('', 'a\nb', 'a'.repeat(256), 'a'.repeat(257)),
);

/** Wrong types too; not null, which the server takes for absent. */
const orSomething = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 12, arbitrary: value as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(true, 0, 1.5, 'text', [], ['a'], {}) },
  );

const host = fc.oneof(
  fc.constantFrom('otel', 'otel.example.com', '192.0.2.1', '[::1]', '[2001:db8::1]', 'a_b.svc', '3scale'),
  fc.domain(),
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.ipV6().map((address) => `[${address}]`),
  nearText([
    'a',
    '1',
    '.',
    '-',
    '_',
    '[',
    ']',
    ':',
    '0x',
    'f',
    '255',
    '256',
    '%41',
    '<',
    '|',
    '"',
    'ü',
    '{',
    '~',
    '!',
    '*',
    "'",
    ';',
    ',',
    '$',
    '(',
    '=',
    '+',
    '&',
    '^',
    '`',
  ]),
);
const port = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 0, max: 70_000 }).map((number) => `:${number}`),
  fc.constantFrom(':', ':http', ':00080', ':-1'),
);
const rest = fc.oneof(
  fc.constantFrom('', '/', '/v1/logs', '/a?b=c'),
  nearText([
    '/',
    '?',
    '#',
    '%',
    '%2',
    '%41',
    'a',
    ';',
    ':',
    '@',
    '[',
    '"',
    '<',
    '|',
    'ü',
    ' ',
    '\\',
    '\u00a0',
    '&',
    '=',
    '{',
    '^',
    '`',
    '..',
  ]),
);
const endpoint = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom('https://', 'http://', 'HTTP://'), host, port, rest)
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: nearText(['http', 's', ':', '/', '//', 'otel', '@', '?', '#', '.', '1']) },
  { weight: 1, arbitrary: fc.webUrl({ withFragments: true, withQueryParameters: true }) },
);

const secretName = fc.oneof(fc.constant('acme-siem'), nearText(['a', '1', '-', '.', 'A', '_', '/']));
const secretKey = fc.oneof(fc.constant('key'), nearText(['a', '1', '-', '.', 'A', '_', '/', '..']));
const header = fc.record(
  {
    name: orSomething(
      fc.oneof(
        fc.constantFrom('a', 'A', 'b', 'Authorization', 'Host', 'Content-Length'),
        nearText(['a', '-', ' ', ':', '~', 'ü', '(']),
      ),
    ),
    value: orSomething(fc.oneof(fc.constant('v'), anyText)),
    valueFrom: orSomething(
      fc.record({ secretKeyRef: orSomething(fc.record({ name: secretName, key: secretKey })) }),
    ),
  },
  { requiredKeys: ['name'] },
);
/** Mostly with one value. */
const oneValue = fc
  .tuple(header, fc.integer({ min: 0, max: 9 }))
  .map(([{ name, value, valueFrom }, choice]) => {
    if (choice === 0)
      return { name, ...(value !== undefined && { value }), ...(valueFrom !== undefined && { valueFrom }) };
    return choice < 6 || valueFrom === undefined ? { name, value: value ?? 'v' } : { name, valueFrom };
  });

const number = (from: number, to: number) =>
  fc.oneof(fc.integer({ min: from, max: to }), fc.constantFrom(from - 1, from, to, to + 1));
const texts = fc.array(fc.oneof(fc.constantFrom('flow.*', 'web'), anyText), { maxLength: 3 });
const day = fc.tuple(
  fc.integer({ min: 0, max: 2400 }),
  fc.integer({ min: 1, max: 13 }),
  fc.integer({ min: 1, max: 32 }),
);
const startFrom = fc.oneof(
  fc.constantFrom('Now', 'Beginning', '2024-02-29T00:00:00Z'),
  fc
    .tuple(day, fc.constantFrom('T00:00:00Z', 'T23:59:59.5+02:00', 'T24:00:00Z', ''))
    .map(([[year, month, date], time]) => `${pad(year, 4)}-${pad(month, 2)}-${pad(date, 2)}${time}`),
);

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0');
}

const usual = <T>(usualValue: unknown, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usualValue) }, { weight: 1, arbitrary: orSomething(other) });

/** Specs that are wrong in a place or two; one in six is right. */
export const anySpec = fc.record(
  {
    organization: usual('acme', anyText),
    endpoint,
    headers: usual([], fc.array(oneValue, { maxLength: 3 })),
    maxBatchSize: usual(500, number(1, 1000)),
    timeoutSeconds: usual(10, number(1, 300)),
    startFrom: usual('Now', startFrom),
    suspend: usual(false, fc.boolean()),
    compression: usual('gzip', fc.constantFrom('none', 'zstd', 'br')),
    filter: usual(
      {},
      fc.record(
        { eventTypes: texts, excludeEventTypes: texts, projects: orSomething(texts) },
        { requiredKeys: [] },
      ),
    ),
    tls: usual(
      {},
      fc.record(
        {
          caSecretRef: orSomething(
            fc.record({ name: secretName, key: secretKey }, { requiredKeys: ['name'] }),
          ),
          clientCertSecretRef: orSomething(fc.record({ name: secretName })),
          serverName: fc.oneof(fc.constant('Otel.example.com'), nearText(['a', 'A', '.', '-', ':', '1'])),
          insecureSkipVerify: orSomething(fc.boolean()),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: ['organization', 'endpoint'] },
);

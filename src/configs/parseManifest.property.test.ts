import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type ParsedManifest, parseManifest } from './parseManifest.ts';
import { parseManifestText } from './parseManifestText.ts';

const canary = 'c4n4ry';

/** Text that a header's value could be, always with the canary in it. */
const secretText = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }))
  .map(([before, after]) => `${before}${canary}${after}`);

/** The secret wherever a person could put it below `headers`. */
const header = fc.oneof(
  secretText,
  fc.record(
    {
      name: fc.oneof(fc.constantFrom('Authorization', 'host', 'x'), secretText, fc.anything()),
      value: fc.oneof(secretText, fc.array(secretText), fc.dictionary(fc.string(), secretText)),
      valueFrom: fc.oneof(
        secretText,
        fc.record({ secretKeyRef: fc.record({ name: secretText, key: secretText }) }),
      ),
      vaule: secretText,
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(secretText, fc.anything()),
);
const headers = fc.oneof(
  secretText,
  fc.array(header, { maxLength: 40 }),
  fc.dictionary(fc.string(), secretText),
);

const manifest = fc.record({
  apiVersion: fc.constant('auditexport.dev/v1'),
  kind: fc.constant('AuditExportConfig'),
  metadata: fc.oneof(fc.constant({ name: 'acme' }), fc.anything()),
  spec: fc.record(
    {
      organization: fc.anything(),
      endpoint: fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.anything()),
      headers,
      maxBatchSize: fc.anything(),
      startFrom: fc.oneof(fc.constantFrom('Now', 'Beginning'), fc.anything()),
      filter: fc.anything(),
      tls: fc.anything(),
      extra: fc.anything(),
    },
    { requiredKeys: ['headers'] },
  ),
});

function expectWellFormed(parsed: ParsedManifest): void {
  if (parsed.ok) return;
  expect(parsed.problems.length).toBeGreaterThan(0);
  for (const problem of parsed.problems) expect(problem).toMatch(/^[^\n\r]+[.?]$/);
}

/** A well-formed header name is the one thing below `headers` that may be repeated: it goes on the wire in the clear. */
function removeNames(problem: string): string {
  return problem.replace(/ is "[^"\s]+" again, /, '');
}

describe('parseManifest', () => {
  it('never throws, and says one line for each problem, whatever the value', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => expectWellFormed(parseManifest(value))),
      { numRuns: 1_000 },
    );
  });

  it('never repeats what stands below headers', () => {
    fc.assert(
      fc.property(manifest, (value) => {
        const parsed = parseManifest(value);
        expectWellFormed(parsed);
        if (!parsed.ok) expect(parsed.problems.map(removeNames).join('\n')).not.toContain(canary);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseManifestText', () => {
  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) =>
        expectWellFormed(parseManifestText(text, 'acme.yaml')),
      ),
      { numRuns: 1_000 },
    );
  });

  it('never repeats a header value of a file that was cut, or damaged in one place', () => {
    const text = stringify({
      apiVersion: 'auditexport.dev/v1',
      kind: 'AuditExportConfig',
      metadata: { name: 'acme' },
      spec: {
        organization: 'acme',
        endpoint: 'https://otel',
        headers: [{ name: 'Authorization', value: `Bearer ${canary}` }],
      },
    });
    const damage = fc.constantFrom(
      '',
      ':',
      '\n',
      '\t',
      '"',
      "'",
      '{',
      ']',
      '*',
      '&',
      '!',
      '@',
      '%',
      '|',
      '#',
      '- ',
    );
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(text.length), damage, (end, at, inserted) => {
        const damaged = text.slice(0, at) + inserted + text.slice(at, Math.max(at, end));
        const parsed = parseManifestText(damaged, 'acme.yaml');
        expectWellFormed(parsed);
        if (!parsed.ok) expect(parsed.problems.join('\n')).not.toContain(canary);
      }),
      { numRuns: 3_000 },
    );
  });
});

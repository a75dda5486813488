import { describe, expect, it } from 'vitest';
import { parseManifestText } from './parseManifestText.ts';

const valid = `apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata: {name: acme-siem}
spec: {organization: acme, endpoint: "https://otel.example.com"}
`;

function problemsOf(text: string): readonly string[] {
  const parsed = parseManifestText(text, 'acme.yaml');
  return parsed.ok ? [] : parsed.problems;
}

describe('parseManifestText', () => {
  it.each([
    ['plain', valid],
    ['between document marks', `---\n${valid}---\n`],
    ['with a comment first and a byte order mark', `\uFEFF# acme\n${valid}`],
    ['with Windows line ends', valid.replaceAll('\n', '\r\n')],
    [
      'as JSON',
      JSON.stringify({
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name: 'a' },
        spec: { organization: 'acme', endpoint: 'https://otel' },
      }),
    ],
  ])('reads a manifest %s', (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  it('hands out the value of a manifest that is wrong, to tell whose it is', () => {
    const parsed = parseManifestText(valid.replace('organization: acme, ', ''), 'acme.yaml');
    expect(parsed).toMatchObject({ ok: false, value: { metadata: { name: 'acme-siem' } } });
  });

  const empty = 'acme.yaml is empty: write an AuditExportConfig into it, or delete it.';
  it.each<[string, string]>([
    ['', empty],
    ['# nothing yet\n', empty],
    ['---\n---\n', empty],
    [
      `${valid}---\n${valid}`,
      'acme.yaml has 2 documents: put each AuditExportConfig into a file of its own.',
    ],
    ['just text', 'The manifest is text: it must be a map with apiVersion, kind, metadata and spec.'],
    [
      'spec: {headers: [{value: s3cr3t',
      'acme.yaml, line 1, column 32: the indentation does not fit the lines around it: line it up with its neighbours.',
    ],
    [
      'value: Bearer: s3cr3t',
      'acme.yaml, line 1, column 8: a second ": " on the line: put the text in quotes, or begin a new line.',
    ],
    [
      'a: 1\nb: "s3cr3t\n',
      'acme.yaml, line 3, column 1: something is missing here, such as a ":", a closing quote, "]" or "}": add it.',
    ],
    ['a: 1\na: s3cr3t', 'acme.yaml, line 2, column 1: this field is written twice: keep one of them.'],
    ['a:\n\tb: s3cr3t', 'acme.yaml, line 2, column 1: a tab cannot indent: use spaces.'],
    [
      'value: @s3cr3t',
      'acme.yaml, line 1, column 8: text cannot begin with this character: put it in quotes.',
    ],
    [
      'value: !s3cr3t x',
      'acme.yaml, line 1, column 8: this "!" tag is not known: remove it, or put the text in quotes.',
    ],
    ['? [s3cr3t]\n: b', 'acme.yaml, line 1, column 3: the name of a field must be text: put it in quotes.'],
    [
      'value: *s3cr3t',
      'acme.yaml has a "*" alias without its "&" anchor, or too many: write the values out.',
    ],
  ])('%j gets its sentence', (text, sentence) => {
    expect(problemsOf(text)).toEqual([sentence]);
  });

  it('refuses aliases that multiply', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    expect(problemsOf(lines.join('\n'))[0]).toContain('or too many');
  });

  it('survives a value that contains itself', () => {
    expect(problemsOf('&a {spec: *a}')).not.toEqual([]);
  });
});

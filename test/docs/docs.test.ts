import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { makePages } from '../../docs/generate.ts';
import type { Answer } from '../../src/model/answer.ts';
import { reasonGroups } from '../../src/model/reasons.ts';
import { classify } from '../../src/otlp/classify.ts';

const root = new URL('../../', import.meta.url);
const readText = (path: string) => readFile(new URL(path, root), 'utf8');

test.each([...makePages()])(
  'docs/%s says what the code says (else run `npm run generate`)',
  async (name, text) => {
    expect(await readText(`docs/${name}`)).toBe(text);
  },
);

test('docs/reasons.md and crds/README.md have a place for every reason, and for no other', async () => {
  const reasons = Object.values(reasonGroups).flatMap((group) => Object.keys(group));
  expect([...(await readReasons()).keys()].sort()).toEqual(reasons.sort());
  const [, table = ''] = (await readText('crds/README.md')).split('<!-- reasons:');
  const listed = table.slice(0, table.indexOf('<!-- end -->')).matchAll(/`([A-Z]\w+)`(?=,| \|)/g);
  expect([...listed].map(([, reason]) => reason).sort()).toEqual(reasons);
});

test('docs/reasons.md has each reason of an answer under the heading of what is done about it', async () => {
  const headings = {
    retry: 'It will pass',
    hold: 'A person must do something',
    'too-large': 'The receiver dislikes some records',
    refused: 'The receiver dislikes some records',
  };
  const causes = ['timeout', 'dns', 'refused', 'connection', 'tls', 'address-refused', 'aborted'] as const;
  const answers: Answer[] = [
    ...causes.map((cause) => ({ kind: 'no-answer', cause, message: '' }) as const),
    ...Array.from({ length: 500 }, (_, index) => ({
      kind: 'response' as const,
      status: 100 + index,
      headers: { 'content-type': 'text/html' },
      body: Buffer.from('<html>'),
      truncated: index % 2 === 0,
    })),
  ];
  const context = { now: 0, url: new URL('https://otel.example.com/v1/logs'), secrets: [] };
  const reasons = await readReasons();
  const seen = new Set<string>();
  for (const answer of answers) {
    const outcome = classify(answer, context);
    if (outcome.kind === 'settled') continue;
    seen.add(outcome.reason);
    expect([outcome.reason, reasons.get(outcome.reason)]).toEqual([outcome.reason, headings[outcome.kind]]);
  }
  expect(seen.size).toBeGreaterThan(15);
});

/** Each reason in the tables, and the heading it is under. */
async function readReasons(): Promise<Map<string, string>> {
  const sections = (await readText('docs/reasons.md')).split(/^## /m);
  return new Map(
    sections.flatMap((section) => {
      const [heading = ''] = section.split('\n');
      return [...section.matchAll(/^\| `([A-Z]\w+)` \|/gm)].map(
        ([, reason = '']) => [reason, heading] as const,
      );
    }),
  );
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...(await readdir(new URL('docs/', root)))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(pages)('%s', (page) => {
  test('links to files, and headings in them, that exist', async () => {
    const links = (await readText(page)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g);
    for (const [link, path = '', heading] of links) {
      const url = path === '' ? new URL(page, root) : new URL(path, new URL(page, root));
      if (path.endsWith('/')) await expect(readdir(url), link).resolves.toBeDefined();
      else {
        const text = await readFile(url, 'utf8').catch(() => undefined);
        expect(text, link).toBeDefined();
        if (heading !== undefined) expect(anchorsOf(text ?? ''), link).toContain(heading);
      }
    }
  });

  test('names files of the repository that exist', async () => {
    const names = (await readText(page)).matchAll(/`((?:src|cmd|tools|test|docs|bench)\/[\w./-]+)`/g);
    for (const [, name = ''] of names) {
      const exists = name.endsWith('/') ? readdir(new URL(name, root)) : readText(name);
      await expect(exists, name).resolves.toBeDefined();
    }
  });
});

test.each([
  ['docs/guarantee.md', 10],
  ['docs/security.md', 1],
])('%s names tests that exist', async (page, least) => {
  const cited = [...(await readText(page)).matchAll(/`(test\/[\w./-]+\.test\.ts)`: "([^"]+)"/g)];
  expect(cited.length).toBeGreaterThanOrEqual(least);
  for (const [, file = '', name = ''] of cited) {
    expect(await readText(file), `${file}: ${name}`).toContain(name);
  }
});

/** As GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

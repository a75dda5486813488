import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { makePages } from '../../docs/generate.ts';
import type { ConfigState } from '../../src/configs/configSource.ts';
import type { StreamFailure } from '../../src/model/streamHealth.ts';

const root = new URL('../../', import.meta.url);
const readText = (path: string) => readFile(new URL(path, root), 'utf8');

test.each([...makePages()])(
  'docs/%s says what the code says (else run `npm run docs`)',
  async (name, text) => {
    expect(await readText(`docs/${name}`)).toBe(text);
  },
);

/** Every reason of a failure: a new one is missing here for the compiler first, then on the page. */
const failures: Record<
  StreamFailure['reason'] | Extract<ConfigState, { kind: 'invalid' }>['reason'],
  'documented'
> = {
  RateLimited: 'documented',
  ReceiverUnavailable: 'documented',
  Timeout: 'documented',
  ConnectionRefused: 'documented',
  ConnectionFailed: 'documented',
  DnsFailed: 'documented',
  TlsFailed: 'documented',
  AddressRefused: 'documented',
  Unauthorized: 'documented',
  Forbidden: 'documented',
  NotFound: 'documented',
  MethodNotAllowed: 'documented',
  ProxyAuthenticationRequired: 'documented',
  UnsupportedMediaType: 'documented',
  Redirected: 'documented',
  NotOtlp: 'documented',
  AnswerTooLarge: 'documented',
  TooLarge: 'documented',
  EntryRefused: 'documented',
  PartialSuccess: 'documented',
  DatabaseUnavailable: 'documented',
  InternalError: 'documented',
  InvalidSpec: 'documented',
  SecretNotFound: 'documented',
  SecretKeyNotFound: 'documented',
  InvalidSecret: 'documented',
};

test('docs/operations.md has a row for every reason, and for no other', async () => {
  // Reasons that are no failure are written in this file as they are.
  const others = (await readText('src/status/conditions.ts')).matchAll(/reason: '(\w+)'/g);
  const reasons = new Set([...Object.keys(failures), ...[...others].map(([, reason]) => reason)]);
  const [, section = ''] = (await readText('docs/operations.md')).split(/^## Reasons$/m);
  const rows = section.matchAll(/^\| `([A-Z]\w+)` \|/gm);
  expect([...rows].map(([, reason]) => reason).sort()).toEqual([...reasons].sort());
});

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
    const names = (await readText(page)).matchAll(/`((?:src|cmd|test|docs|bench)\/[\w./-]+)`/g);
    for (const [, name = ''] of names) {
      const exists = name.endsWith('/') ? readdir(new URL(name, root)) : readText(name);
      await expect(exists, name).resolves.toBeDefined();
    }
  });
});

test('docs/guarantee.md names tests that exist', async () => {
  const cited = [
    ...(await readText('docs/guarantee.md')).matchAll(/`(test\/[\w./-]+\.test\.ts)`: "([^"]+)"/g),
  ];
  expect(cited.length).toBeGreaterThan(10);
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

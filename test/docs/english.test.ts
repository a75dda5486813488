/** Comments and sentences in plain English: what a tool can tell without a false alarm. CONTRIBUTING.md has the rest. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folders = ['bench', 'charts', 'cmd', 'crds', 'docs', 'src', 'tools', 'views'];

/** A comment that begins with "Of" has no subject; each of the words has a plainer one. */
const unplain = /(?:\/\*\*|\/\/) Of\b.*|\b(?:anew|mend(?:s|ed|ing)?|shall|whilst|is another one)\b/g;

test.each(folders)('%s is written in plain English', async (folder) => {
  const names = await readdir(join(root, folder), { recursive: true });
  const files = names.filter((name) => /\.(ts|md|eta|ya?ml|tpl|txt|json)$/.test(name));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const text = await readFile(join(root, folder, file), 'utf8');
    expect([file, text.match(unplain) ?? []]).toEqual([file, []]);
  }
});

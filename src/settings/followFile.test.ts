import { expect, it } from 'vitest';
import { Secret } from '../model/secret.ts';
import { followFile } from './followFile.ts';
import { readSettings } from './readSettings.ts';

it('reads a file again after a few seconds, and keeps the last good value', () => {
  let [text, now, reads]: [string | null, number, number] = ['new', 0, 0];
  const read = () => {
    reads += 1;
    return text;
  };
  const value = followFile('old', read, () => now);
  expect([value(), reads]).toEqual(['old', 0]);
  now = 6_000;
  expect([value(), value(), reads]).toEqual(['new', 'new', 1]);
  text = null;
  now = 12_000;
  expect([value(), reads]).toEqual(['new', 2]);
});

it('holds what the file holds now in a secret of the settings', () => {
  const files = new Map([['/run/url', 'postgres://a:one@db/flows\n']]);
  const env = { DATABASE_URL_FILE: '/run/url', PAGE_ADDRESS: 'off' };
  let now = 0;
  const result = readSettings(
    env,
    (path) => files.get(path) ?? '',
    () => now,
  );
  if (!result.ok) throw new Error(result.problems.join());
  const { databaseUrl } = result.settings;
  const before = new Secret('postgres://a:one@db/flows');
  expect(databaseUrl.equals(before)).toBe(true);
  files.set('/run/url', 'postgres://a:two@db/flows\n');
  now = 6_000;
  expect(databaseUrl.reveal()).toBe('postgres://a:two@db/flows');
  // Half a write, or a file that is being replaced.
  for (const broken of ['', 'nonsense']) {
    files.set('/run/url', broken);
    now += 6_000;
    expect(databaseUrl.reveal()).toBe('postgres://a:two@db/flows');
  }
});

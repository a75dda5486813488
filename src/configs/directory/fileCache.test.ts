import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeFileCache } from './fileCache.ts';

function makePath(name = 'file'): string {
  const directory = mkdtempSync(join(tmpdir(), 'audit-export-cache-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return join(directory, name);
}

describe('a file cache', () => {
  it('gives another version with another text, and the same with the same', async () => {
    const path = makePath();
    const cache = makeFileCache();
    expect(await cache.read(path)).toEqual({ kind: 'missing' });
    writeFileSync(path, 'one');
    const one = await cache.read(path);
    expect(one).toMatchObject({ kind: 'text', text: 'one' });
    writeFileSync(path, 'one');
    expect(await cache.read(path)).toBe(one);
    writeFileSync(path, 'two');
    const two = await cache.read(path);
    expect(two).toMatchObject({ kind: 'text', text: 'two' });
    expect(two).not.toHaveProperty('version', one.kind === 'text' ? one.version : 0);
  });

  it('sees a change that leaves size and time as they were', async () => {
    const path = makePath();
    const cache = makeFileCache();
    const now = new Date();
    for (const text of ['one', 'two', 'six']) {
      writeFileSync(path, text);
      utimesSync(path, now, now);
      expect(await cache.read(path)).toMatchObject({ text });
    }
  });

  it('sees a file of the same age and size renamed over another', async () => {
    const path = makePath();
    const cache = makeFileCache();
    for (const text of ['one', 'two']) {
      writeFileSync(`${path}.new`, text);
      utimesSync(`${path}.new`, new Date(0), new Date(0));
      renameSync(`${path}.new`, path);
      expect(await cache.read(path)).toMatchObject({ text });
    }
  });

  it('forgets what was not read since it was asked to', async () => {
    const path = makePath();
    const cache = makeFileCache();
    writeFileSync(path, 'one');
    const first = await cache.read(path);
    cache.forgetUnread();
    expect(await cache.read(path)).toBe(first);
    cache.forgetUnread();
    cache.forgetUnread();
    expect(await cache.read(path)).not.toBe(first);
  });

  it.each<[string, (path: string) => void, string]>([
    ['a device that never ends', (path) => symlinkSync('/dev/zero', path), 'is not a file'],
    ['bytes that are not UTF-8', (path) => writeFileSync(path, Buffer.from([0xff])), 'is not UTF-8 text'],
    ['more than 1 MiB', (path) => writeFileSync(path, Buffer.alloc(1024 * 1024 + 1)), 'is larger than 1 MiB'],
    ['a link in a circle', (path) => symlinkSync(path, path), 'is a link that leads to itself'],
  ])('says what is wrong with %s, and does not wait for it', async (_, make, message) => {
    const path = makePath();
    make(path);
    expect(await makeFileCache().read(path)).toMatchObject({ kind: 'unreadable', message });
  });

  it('takes a dangling link, and a path through a file, for missing', async () => {
    const path = makePath();
    symlinkSync(`${path}.nowhere`, path);
    const cache = makeFileCache();
    expect(await cache.read(path)).toEqual({ kind: 'missing' });
    writeFileSync(`${path}.nowhere`, '');
    expect(await cache.read(`${path}/x`)).toEqual({ kind: 'missing' });
  });
});

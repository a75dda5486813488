import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withFolderLock } from './folderLock.ts';

let folder = '';
let lock = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-export-lock-'));
  lock = join(folder, 'lock');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one in at a time', async () => {
  let inside = 0;
  const highest: number[] = [];
  const work = async () => {
    highest.push(++inside);
    await new Promise(setImmediate);
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withFolderLock(lock, work)));
  expect(highest).toEqual([1, 1, 1]);
});

it('is free again after work that failed', async () => {
  await expect(withFolderLock(lock, () => Promise.reject(new Error('no compiler')))).rejects.toThrow(
    'no compiler',
  );
  expect(existsSync(lock)).toBe(false);
});

it('takes over the lock of a dead process', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  await mkdir(lock);
  await writeFile(join(lock, 'pid'), String(pid));
  let isDone = false;
  await withFolderLock(lock, async () => {
    isDone = true;
  });
  expect(isDone).toBe(true);
});

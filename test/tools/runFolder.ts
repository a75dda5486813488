/**
 * Gives a run of tests one folder for what its files share and for what their servers write, and deletes it at the end,
 * so that nothing stays even of a file that was ended by force. Vitest calls it once for each project, in Vitest's own process.
 */
import { chmod, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { isAlive } from './folderLock.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** For files of one run only; `inject('runFolder')` names it. */
    readonly runFolder: string;
  }
}

/** What the servers of all workers together write, and some more. */
const neededBytes = 4 * 1024 ** 3;
const memory = '/dev/shm';
const prefix = 'audit-export-tests-';

export default async function makeRunFolder(project: TestProject): Promise<() => Promise<void>> {
  const parent = (await isRoomy(memory)) ? memory : tmpdir();
  for (const name of await readdir(parent)) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    // A run that was killed could not delete its own.
    if (owner !== undefined && !isAlive(Number(owner))) await remove(join(parent, name));
  }
  const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`));
  // Postgres, which does not run as root, finds its own folders in it.
  await chmod(folder, 0o711);
  project.provide('runFolder', folder);
  return () => remove(folder);
}

function remove(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Linux keeps it in memory: a database in it costs no write to a disk. A container often has only 64 MB of it. */
async function isRoomy(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > neededBytes;
}

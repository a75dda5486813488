import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 200;
const timeoutMs = 15 * 60_000;
/** A holder writes its number at once; a lock still without one after this many looks was left by a crash. */
const looksWithoutOwner = 25;

/**
 * Runs `work` while no other process of this machine holds the lock `folder`. The lock of a dead process is taken over.
 * It saves doubled work and no more: in a rare race two may hold it, so `work` must publish its result atomically.
 */
export async function withFolderLock(folder: string, work: () => Promise<void>): Promise<void> {
  await acquire(folder);
  try {
    await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function acquire(folder: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let ownerless = 0;
  for (;;) {
    try {
      await mkdir(folder);
      return await writeFile(join(folder, 'pid'), String(process.pid));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''));
    ownerless = owner === 0 ? ownerless + 1 : 0;
    const left = owner === 0 ? ownerless > looksWithoutOwner : !isAlive(owner);
    if (left) await rm(folder, { recursive: true, force: true });
    else if (Date.now() > deadline)
      throw new Error(
        `${folder} is held by process ${owner} for too long: end that process, or delete the folder.`,
      );
    else await delay(pollMs);
  }
}

/** Whether a process of this number runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

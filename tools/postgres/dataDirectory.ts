import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { postgresEnvironment } from './environment.ts';
import type { RunAs } from './runAs.ts';

/** Written last, so it also shows that the directory is complete. */
const passwordFile = 'superuser-password';

export interface NewDirectoryOptions {
  readonly initdb: string;
  readonly majorVersion: number;
  readonly runAs: RunAs;
  /** Skips the flush to disk: for data that may be lost. */
  readonly sync: boolean;
}

/**
 * Fills an empty directory with a new cluster (UTF-8, locale C, scram passwords), or checks that it holds one that we created.
 *
 * @returns the superuser's password.
 * @throws Error one sentence: other files, another major version, an incomplete directory, a failed initdb.
 */
export async function prepareDataDirectory(directory: string, options: NewDirectoryOptions): Promise<string> {
  const files = await readdir(directory);
  if (files.length === 0) return createCluster(directory, options);

  const version = await readFile(join(directory, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) {
    throw new Error(`${directory} is not empty and not a Postgres data directory: choose another directory.`);
  }
  if (Number(version) !== options.majorVersion) {
    throw new Error(
      `The data directory ${directory} was made by Postgres ${version.trim()}, and this is Postgres ${options.majorVersion}: delete it to start over, or upgrade it with pg_upgrade.`,
    );
  }
  if (!files.includes(passwordFile)) {
    throw new Error(`The data directory ${directory} is incomplete: delete it to start over.`);
  }
  return readFile(join(directory, passwordFile), 'utf8');
}

async function createCluster(directory: string, options: NewDirectoryOptions): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const { uid, gid } = await stat(directory);
  await chmod(directory, 0o700);
  // initdb reads the password from a file, and requires the directory itself to be empty.
  const handedOver = `${directory}.password`;
  const initdbArguments = [
    ...['-D', directory, '--username=postgres', `--pwfile=${handedOver}`, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--locale=C', '--no-instructions', ...(options.sync ? [] : ['--no-sync'])],
  ];
  const [command = '', ...rest] = [...options.runAs.prefix, options.initdb, ...initdbArguments];
  try {
    await writeFile(handedOver, password, { mode: 0o600 });
    await chown(handedOver, uid, gid);
    await promisify(execFile)(command, rest, { ...options.runAs.ids, cwd: '/', env: postgresEnvironment() });
  } catch (cause) {
    const problem = /error: (.*)/.exec(String(cause))?.[1] ?? String(cause);
    throw new Error(`Postgres could not make the data directory ${directory}: ${problem}`, { cause });
  } finally {
    await rm(handedOver, { force: true });
  }
  await writeFile(join(directory, passwordFile), password, { mode: 0o600 });
  await chown(join(directory, passwordFile), uid, gid);
  return password;
}

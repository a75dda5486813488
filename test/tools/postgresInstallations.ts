import { globSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { readMajorVersion } from '../../tools/postgres/binaries.ts';
import { findEmbeddedBinaries, type PostgresBinaries } from '../../tools/postgres/postgres.ts';
import { findExecutable } from './findOnPath.ts';

export interface PostgresInstallation {
  readonly binaries: PostgresBinaries;
  readonly majorVersion: number;
}

/** The oldest that is supported. */
const oldestMajor = 14;

/** Where packages put them: Debian, Red Hat, Homebrew (two kinds of Mac), MacPorts. */
const parentFolders = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/opt/local/lib/postgresql*/bin',
];

export async function findEmbedded(): Promise<PostgresInstallation> {
  const binaries = await findEmbeddedBinaries();
  return { binaries, majorVersion: await readMajorVersion(binaries.postgres) };
}

/** The oldest supported Postgres of this machine whose major version the embedded one does not have. */
export async function findSecondMajorVersion(): Promise<PostgresInstallation | undefined> {
  const embedded = await findEmbedded();
  const found: PostgresInstallation[] = [];
  for (const folder of installationFolders()) {
    const binaries = { postgres: join(folder, 'postgres'), initdb: join(folder, 'initdb') };
    const majorVersion = await readMajorVersion(binaries.postgres).catch(() => 0);
    if (majorVersion >= oldestMajor && majorVersion !== embedded.majorVersion)
      found.push({ binaries, majorVersion });
  }
  return found.sort((a, b) => a.majorVersion - b.majorVersion)[0];
}

/** pg_dump, psql or the like, new enough for a server of `majorVersion` (pg_dump refuses newer servers). */
export async function findClientProgram(name: string, majorVersion: number): Promise<string | undefined> {
  for (const folder of installationFolders()) {
    const program = findExecutable(name, [folder]);
    if (program === undefined) continue;
    if ((await readMajorVersion(program).catch(() => 0)) >= majorVersion) return program;
  }
  return undefined;
}

/** Folders with both server programs, links resolved: /usr/bin may hold a wrapper that picks a version by itself. */
function installationFolders(): string[] {
  const candidates = [
    ...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean),
    ...parentFolders.flatMap((folder) => globSync(folder)),
  ];
  const folders = candidates.flatMap((folder) => {
    const postgres = findExecutable('postgres', [folder]);
    if (postgres === undefined) return [];
    const real = dirname(realpathSync(postgres));
    return findExecutable('initdb', [real]) === undefined ? [] : [real];
  });
  return [...new Set(folders)];
}

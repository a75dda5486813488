/** Real Postgres servers for tests: one for a test file, and as many fresh databases in it as its tests want. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { type PostgresServer, startPostgres } from '../../tools/postgres/postgres.ts';
import { migrateDatabase } from './database.ts';
import { withFolderLock } from './folderLock.ts';
import { findEmbedded, findSecondMajorVersion } from './postgresInstallations.ts';
import { type OtherMajor, provideMajor } from './postgresVersions.ts';

/** `embedded`: the one npm brings. A number: another major version. `system`: one that the machine has, with `pg_dump`. */
export type WhichPostgres = 'embedded' | 'system' | OtherMajor;

/**
 * Nothing waits for the disk, so a power cut would lose data. A crash of the server (`stop('immediate')`) does not:
 * the operating system has the writes.
 */
const fastSettings = { fsync: 'off', full_page_writes: 'off', max_prepared_transactions: '10' };

export interface TestPostgresServer extends PostgresServer {
  /** Stops the server and deletes its data. */
  remove(): Promise<void>;
}

/**
 * A server of a cluster of its own, with a system identifier that no other has.
 *
 * @throws Error when there is no such Postgres: ask `hasSystemPostgres` first.
 */
export async function startTestPostgres(
  which: WhichPostgres = 'embedded',
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgresServer> {
  return start(which, settings, async () => {});
}

/** `fill` may put a data directory into the empty folder that it is given. */
async function start(
  which: WhichPostgres,
  settings: Readonly<Record<string, string>>,
  fill: (dataDirectory: string) => Promise<unknown>,
): Promise<TestPostgresServer> {
  const binaries =
    typeof which === 'number'
      ? await provideMajor(which)
      : (which === 'embedded' ? await findEmbedded() : await findSecondMajorVersion())?.binaries;
  if (binaries === undefined) throw new Error('No Postgres of a second major version is installed.');
  const dataDirectory = await mkdtemp(join(inject('runFolder'), 'postgres-'));
  const removeData = () => rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  try {
    await fill(dataDirectory);
    const server = await startPostgres({
      binaries,
      dataDirectory,
      settings: { ...fastSettings, ...settings },
    });
    const remove = async () => {
      await server.stop('immediate');
      await removeData();
    };
    return { ...server, remove };
  } catch (error) {
    await removeData();
    throw error;
  }
}

/** Whether `startTestPostgres('system')` can work; for `describe.skipIf`. */
export async function hasSystemPostgres(): Promise<boolean> {
  return (await findSecondMajorVersion()) !== undefined;
}

export interface TestPostgres {
  readonly server: TestPostgresServer;
  /** URL of a new database, a copy of what `prepare` made. */
  createDatabase(): Promise<string>;
}

export interface TestPostgresOptions {
  readonly which?: WhichPostgres;
  readonly settings?: Readonly<Record<string, string>>;
  /** Fills the database that all others are copied from, such as by migrating it; must leave no session behind. */
  readonly prepare?: (url: string) => Promise<void>;
}

const templateName = 'test_template';
const run = promisify(execFile);

/**
 * A data directory with the database that others are copied from, migrated or empty. It is made once in a run: initdb
 * and the migrations cost ten times what a copy costs (0.65 s of CPU).
 */
async function provideDirectory(which: WhichPostgres, isMigrated: boolean): Promise<string> {
  const directory = join(inject('runFolder'), `${which}-${isMigrated ? 'migrated' : 'empty'}`);
  if (existsSync(directory)) return directory;
  await withFolderLock(`${directory}.lock`, async () => {
    if (existsSync(directory)) return;
    const server = await startTestPostgres(which, { autovacuum: 'off' });
    await execute(server.url, `create database ${templateName}`);
    if (isMigrated) await migrateDatabase(databaseUrl(server, templateName));
    await server.stop();
    await rename(server.dataDirectory, directory);
  });
  return directory;
}

/**
 * Gives the test file (or `describe` block) that calls it a server of its own, and takes it away afterwards. All such
 * servers of a major version have the same system identifier.
 */
export function usePostgres(options: TestPostgresOptions = {}): TestPostgres {
  const { which = 'embedded', settings = {}, prepare } = options;
  let server: TestPostgresServer | undefined;
  let databases = 0;
  const running = () => {
    if (server === undefined) throw new Error('Postgres is there from beforeAll to afterAll only.');
    return server;
  };
  beforeAll(async () => {
    const isMigrated = prepare === migrateDatabase;
    const directory = await provideDirectory(which, isMigrated);
    server = await start(which, settings, (copy) => run('cp', ['-a', `${directory}/.`, copy]));
    if (!isMigrated) await prepare?.(databaseUrl(server, templateName));
  });
  afterAll(async () => {
    await server?.remove();
  });
  return {
    get server() {
      return running();
    },
    async createDatabase() {
      const name = `test_${++databases}`;
      await execute(running().url, `create database ${name} template ${templateName}`);
      return databaseUrl(running(), name);
    },
  };
}

function databaseUrl(server: PostgresServer, name: string): string {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

async function execute(connectionString: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Real Postgres servers for tests: one for a test file, and as many fresh databases in it as its tests want. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { type PostgresServer, startPostgres } from '../../tools/postgres/postgres.ts';
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

/** @throws Error when there is no such Postgres: ask `hasSystemPostgres` first. */
export async function startTestPostgres(
  which: WhichPostgres = 'embedded',
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPostgresServer> {
  const binaries =
    typeof which === 'number'
      ? await provideMajor(which)
      : (which === 'embedded' ? await findEmbedded() : await findSecondMajorVersion())?.binaries;
  if (binaries === undefined) throw new Error('No Postgres of a second major version is installed.');
  const dataDirectory = await mkdtemp(join(tmpdir(), 'audit-export-postgres-'));
  const removeData = () => rm(dataDirectory, { recursive: true, force: true, maxRetries: 3 });
  try {
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

/** Gives the test file (or `describe` block) that calls it a server of its own, and takes it away afterwards. */
export function usePostgres(options: TestPostgresOptions = {}): TestPostgres {
  let server: TestPostgresServer | undefined;
  let databases = 0;
  const running = () => {
    if (server === undefined) throw new Error('Postgres is there from beforeAll to afterAll only.');
    return server;
  };
  beforeAll(async () => {
    server = await startTestPostgres(options.which, options.settings);
    await execute(server.url, `create database ${templateName}`);
    await options.prepare?.(databaseUrl(server, templateName));
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

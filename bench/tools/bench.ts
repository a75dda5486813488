/** What every benchmark gets: one Postgres for all of them, sample entries, a way to report progress. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Migration, migrate, readMigrations } from '../../src/database/migrate.ts';
import { makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';
import { findEmbeddedBinaries, type PostgresServer, startPostgres } from '../../tools/postgres/postgres.ts';

export interface Bench {
  /** Small sizes and single runs: shows that everything works, but measures nothing. */
  readonly quick: boolean;
  /** Folder for CPU profiles of the collector; null: none are taken. */
  readonly profileDirectory: string | null;
  /** Entries of the page's benchmark; null: its own number. */
  readonly pageEntries: number | null;
  readonly server: PostgresServer;
  /** A folder that is deleted at the end. */
  makeDirectory(): Promise<string>;
  /** URL of a new database with the schema, or with only the given `migrations`. */
  createDatabase(name: string, migrations?: readonly Migration[]): Promise<string>;
  /** A line on stderr. */
  log(line: string): void;
}

/**
 * All durability settings keep their Postgres defaults (fsync, synchronous_commit, full_page_writes). Larger than
 * the defaults are only settings that no server with a million entries would leave at 128 MB and 1 GB. pg_stat_statements counts
 * only if a benchmark turns it on.
 */
export const postgresSettings = {
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'none',
};

/** Beside the checkout's other local data, because the temporary folder may be in memory, where fsync costs nothing. */
const localDirectory = fileURLToPath(new URL('../../.local/', import.meta.url));

/** Starts Postgres, runs `work`, and stops and deletes everything however that ends, even with Ctrl-C. */
export async function withBench<T>(
  options: Pick<Bench, 'quick' | 'profileDirectory' | 'pageEntries' | 'log'>,
  work: (bench: Bench) => Promise<T>,
): Promise<T> {
  await mkdir(localDirectory, { recursive: true });
  const root = await mkdtemp(join(localDirectory, 'bench-'));
  const removeRoot = () => rm(root, { recursive: true, force: true, maxRetries: 3 });
  try {
    const server = await startPostgres({
      binaries: await findEmbeddedBinaries(),
      dataDirectory: join(root, 'postgres'),
      settings: postgresSettings,
    });
    const onSignal = async () => {
      await server.stop('immediate');
      await removeRoot();
      process.exit(130);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    try {
      return await work({
        ...options,
        server,
        makeDirectory: () => mkdtemp(join(root, 'files-')),
        createDatabase: (name, migrations) => createDatabase(server.url, name, migrations),
      });
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      await server.stop();
    }
  } finally {
    await removeRoot();
  }
}

async function createDatabase(
  serverUrl: string,
  name: string,
  migrations?: readonly Migration[],
): Promise<string> {
  await withClient(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const db = makePool({ url: () => new Secret(url.href), size: 1, onIdleError: () => {} });
  await migrate(db, migrations ?? (await readMigrations()));
  await db.end();
  return url.href;
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(
  connectionString: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

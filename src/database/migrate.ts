/**
 * Applies the numbered files of `migrations/`, each in a transaction of its own, one process at a time.
 *
 * A file with a line `-- concurrently` holds one `create index concurrently`, which runs outside a transaction so that a
 * product can go on writing; see buildConcurrently.ts.
 *
 * A file that an older collector cannot live with has a line `-- breaking`; that is stored, so that the old binary,
 * which does not have the file, can refuse.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { buildConcurrently } from './buildConcurrently.ts';
import type { Database } from './pool.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly breaking: boolean;
  /** Absent: no. */
  readonly concurrently?: boolean;
}

/** "audit" as bytes: any number will do that no other program takes in this database. */
const advisoryLockKey = 0x6175646974;

/** The migrations that this program brings along, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const directory = new URL('./migrations/', import.meta.url);
  const files = (await readdir(directory)).filter((file) => /^\d{4}_.+\.sql$/.test(file)).sort();
  return Promise.all(
    files.map(async (name) => {
      const sql = await readFile(new URL(name, directory), 'utf8');
      return {
        number: Number(name.slice(0, 4)),
        name,
        sql,
        breaking: /^-- breaking\b/m.test(sql),
        concurrently: /^-- concurrently\b/m.test(sql),
      };
    }),
  );
}

export type SchemaState =
  | { readonly kind: 'current' }
  | { readonly kind: 'behind'; readonly missing: readonly string[] }
  | { readonly kind: 'too-new'; readonly problem: string };

/** Compares the schema with `own` migrations, without changing anything. */
export async function checkSchema(
  db: Pick<Database, 'query'>,
  own: readonly Migration[],
): Promise<SchemaState> {
  const exists = await db.query<{ there: boolean }>(
    `select to_regclass('audit.migrations') is not null as there`,
  );
  const applied = exists.rows[0]?.there
    ? (
        await db.query<{ number: number; name: string; breaking: boolean }>(
          'select number, name, breaking from audit.migrations order by number',
        )
      ).rows
    : [];
  const newest = own.at(-1)?.number ?? 0;
  const blocker = applied.find((row) => row.number > newest && row.breaking);
  if (blocker) {
    return {
      kind: 'too-new',
      problem: `The database schema has migration ${blocker.name}, which this version cannot work with: run the version that brought it, or a newer one.`,
    };
  }
  const done = new Set(applied.map((row) => row.number));
  const missing = own.filter((migration) => !done.has(migration.number)).map((migration) => migration.name);
  return missing.length === 0 ? { kind: 'current' } : { kind: 'behind', missing };
}

export type Migrated =
  | { readonly kind: 'done'; readonly applied: string[] }
  | { readonly kind: 'too-new'; readonly problem: string };

/**
 * Brings the schema up to date; returns the names of what it applied. Any number of processes may call it at once.
 * `onProgress` is told in a sentence what takes long.
 *
 * @throws the database's error; what had been applied before stays applied.
 */
export async function migrate(
  db: Database,
  own: readonly Migration[],
  onProgress: (sentence: string) => void = () => {},
): Promise<Migrated> {
  const applied: string[] = [];
  const client = await db.connect();
  let failed: Error | undefined;
  try {
    for (;;) {
      await lock(client, onProgress);
      await client.query(`create schema if not exists audit`);
      await client.query(`create table if not exists audit.migrations (
        number integer primary key, name text not null, breaking boolean not null, applied_at timestamptz not null default now())`);
      const state = await checkSchema(client, own);
      if (state.kind !== 'behind') {
        await client.query('commit');
        return state.kind === 'current' ? { kind: 'done', applied } : state;
      }
      const next = own.find((migration) => migration.name === state.missing[0]);
      if (!next) throw new Error(`migration ${state.missing[0]} is missing`);
      if (next.concurrently)
        await buildConcurrently({ lock: client, options: db.options, onProgress }, next.sql);
      else await client.query(next.sql);
      await client.query('insert into audit.migrations (number, name, breaking) values ($1, $2, $3)', [
        next.number,
        next.name,
        next.breaking,
      ]);
      await client.query('commit');
      applied.push(next.name);
    }
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    client.release(failed);
  }
}

/**
 * Begins the transaction that one process at a time may have; it ends with it, so that this works through a pooler too.
 *
 * By trying again and again: a statement that waits for the lock holds a snapshot, and an index that another process
 * builds concurrently waits for every snapshot, so the two would wait for each other for ever.
 */
async function lock(client: pg.PoolClient, onProgress: (sentence: string) => void): Promise<void> {
  for (let tries = 0; ; tries++) {
    await client.query('begin');
    const result = await client.query<{ locked: boolean }>('select pg_try_advisory_xact_lock($1) as locked', [
      advisoryLockKey,
    ]);
    if (result.rows[0]?.locked) break;
    await client.query('rollback');
    if (tries % 200 === 100) onProgress('Another process is migrating; waiting for it.');
    await setTimeout(50 + 50 * Math.random());
  }
  // Building an index may take hours, for which this transaction is idle.
  await client.query(`set local idle_in_transaction_session_timeout = 0`);
}

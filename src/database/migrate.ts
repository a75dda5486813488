/**
 * Applies the numbered files of `migrations/`, each in a transaction of its own, one process at a time.
 *
 * A file with a line `-- concurrently` holds one `create index concurrently`, which runs outside a transaction so that a
 * product can keep writing; see buildConcurrently.ts.
 *
 * A file that an older collector cannot work with has a line `-- breaking`; this is stored, so that the old program,
 * which does not have the file, can refuse.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import type pg from 'pg';
import { errorCode } from '../basics/errorCode.ts';
import { buildConcurrently } from './buildConcurrently.ts';
import { guardStatements } from './guardedClient.ts';
import type { Database } from './pool.ts';

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly breaking: boolean;
  readonly concurrently?: boolean;
}

/** The migrations of this program, in order. */
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
    `select to_regclass('audit.migrations'::text) is not null as there`,
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
      problem: `The database schema has migration ${blocker.name}, which this version cannot work with: run the version that added it, or a newer one.`,
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
 * Brings the schema up to date; returns the names of what it applied. Any number of processes may call it at once, and any role that
 * may read the schema, as long as there is nothing to do. `onProgress` is called with a sentence about whatever takes long.
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
    for (let tries = 0; ; ) {
      const before = await checkSchema(client, own);
      if (before.kind !== 'behind') return before.kind === 'current' ? { kind: 'done', applied } : before;
      const step = await lockAndApply(client, db.options, own, onProgress);
      if (step.kind === 'applied') {
        applied.push(step.name);
        tries = 0;
      } else if (step.kind === 'busy') {
        if (++tries % step.quietTries === 0)
          onProgress(`${step.what}${await describeHolder(client, step.mode)}.`);
        await setTimeout(step.pauseMs * (1 + Math.random()));
      }
    }
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    client.release(failed);
  }
}

type Step =
  | { readonly kind: 'applied'; readonly name: string }
  /** Another process has done it. */
  | { readonly kind: 'overtaken' }
  | {
      readonly kind: 'busy';
      readonly what: string;
      /** The lock whose holder to look for. */
      readonly mode: 'ShareRowExclusiveLock' | null;
      readonly pauseMs: number;
      /** Tries between two progress messages. */
      readonly quietTries: number;
    };

/**
 * Applies the next migration that is missing, if this process gets the lock of the migrations. That is a lock on audit.migrations, which
 * only roles that may write there can take: an advisory lock is open to every user of the database. It ends with the transaction, so
 * that this works through a pooler too.
 *
 * Never waits for it: a statement that waits holds a snapshot, and an index that another process builds concurrently waits for every
 * snapshot, so the two would wait for each other forever.
 */
async function lockAndApply(
  client: pg.PoolClient,
  options: pg.PoolOptions,
  own: readonly Migration[],
  onProgress: (sentence: string) => void,
): Promise<Step> {
  // Building an index may take hours, during which this transaction is idle, and without a snapshot only if it is read committed.
  await client.query(
    `begin isolation level read committed; ${guardStatements} set local idle_in_transaction_session_timeout = 0`,
  );
  try {
    await makeTable(client);
    await client.query('lock table audit.migrations in share row exclusive mode nowait');
  } catch (error) {
    await client.query('rollback');
    if (!isBusy(error)) throw error;
    return {
      kind: 'busy',
      what: 'Another process is migrating',
      mode: 'ShareRowExclusiveLock',
      pauseMs: 50,
      quietTries: 100,
    };
  }
  const state = await checkSchema(client, own);
  const next = state.kind === 'behind' ? own.find(({ name }) => name === state.missing[0]) : undefined;
  if (!next) {
    await client.query('rollback');
    return { kind: 'overtaken' };
  }
  try {
    if (next.concurrently) await buildConcurrently({ lock: client, options, onProgress }, next.sql);
    // A statement that waits for a table holds up every insert that comes after it.
    else await client.query(`set local lock_timeout = '1s'; ${next.sql}`);
  } catch (error) {
    if (errorCode(error) !== lockNotAvailable) throw error;
    await client.query('rollback');
    return {
      kind: 'busy',
      what: `Migration ${next.name} waits for a table in use`,
      mode: null,
      pauseMs: 1_000,
      quietTries: 3,
    };
  }
  await client.query('insert into audit.migrations (number, name, breaking) values ($1, $2, $3)', [
    next.number,
    next.name,
    next.breaking,
  ]);
  await client.query('commit');
  return { kind: 'applied', name: next.name };
}

/** Creates them only if they are missing: creating one that exists needs a right that only the owner of the database has. */
async function makeTable(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ schema: boolean; table: boolean }>(
    `select to_regnamespace('audit'::text) is not null as schema, to_regclass('audit.migrations'::text) is not null as table`,
  );
  if (!rows[0]?.schema) await client.query('create schema audit');
  if (!rows[0]?.table)
    await client.query(`create table audit.migrations (
      number integer primary key, name text not null, breaking boolean not null, applied_at timestamptz not null default now())`);
}

const lockNotAvailable = '55P03';

/** The lock is taken, or another process has just created schema or table: unique_violation, duplicate_schema, duplicate_table. */
function isBusy(error: unknown): boolean {
  return [lockNotAvailable, '23505', '42P06', '42P07'].includes(errorCode(error));
}

/** The session that has held a lock on one of our tables longest, as the end of a sentence. */
async function describeHolder(client: pg.PoolClient, mode: string | null): Promise<string> {
  const { rows } = await client.query<{ pid: number; role: string; application: string; seconds: number }>(
    `select a.pid, coalesce(a.usename::text, '?') as role, coalesce(a.application_name, '') as application,
       extract(epoch from clock_timestamp() - a.xact_start)::int as seconds
     from pg_locks l join pg_class c on c.oid = l.relation join pg_stat_activity a on a.pid = l.pid
     where c.relnamespace = to_regnamespace('audit'::text)::oid and l.granted and l.pid <> pg_backend_pid()
       and l.mode = coalesce($1::text, l.mode) and l.database = (select oid from pg_database where datname = current_database())
     order by a.xact_start nulls last limit 1`,
    [mode],
  );
  const [holder] = rows;
  if (!holder) return '';
  const { pid, role, application, seconds } = holder;
  return `: process ${pid} of role ${role}${application === '' ? '' : ` (${application})`} holds it in a transaction ${seconds} s old`;
}

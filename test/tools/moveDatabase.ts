/** Moves an audit database to another cluster, as a dump and restore does. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { migrateDatabase, openDatabase } from './database.ts';
import { findClientProgram } from './postgresInstallations.ts';

const run = promisify(execFile);

/** With the real pg_dump and psql. @throws when they are not there for this major version: ask `hasDumpTools` first. */
export async function dumpAndRestore(from: string, to: string, majorVersion: number): Promise<void> {
  const [pgDump, psql] = await Promise.all([
    findClientProgram('pg_dump', majorVersion),
    findClientProgram('psql', majorVersion),
  ]);
  if (!pgDump || !psql) throw new Error(`pg_dump or psql ${majorVersion} is not installed`);
  const { stdout } = await run(pgDump, ['--schema=audit', from], { maxBuffer: 256 * 1024 * 1024 });
  const child = run(psql, ['--quiet', '--set=ON_ERROR_STOP=1', to]);
  child.child.stdin?.end(stdout);
  await child;
}

export async function hasDumpTools(majorVersion: number): Promise<boolean> {
  const found = await Promise.all(['pg_dump', 'psql'].map((name) => findClientProgram(name, majorVersion)));
  return found.every((program) => program !== undefined);
}

/** Filled in this order: what a foreign key names comes first. */
const tables = [
  'entries',
  'clusters',
  'streams',
  'replicas',
  'parked',
  'stream_history',
  'stream_filters',
  'replayed',
  'search_positions',
  'search_blocks',
  'stream_hours',
  'stream_attempts',
  'ledgers',
  'ledger_bundles',
  'ledger_findings',
];

/** The same by hand, where no pg_dump of the version is installed: one snapshot of all rows, sequences set on. */
export async function copyRows(from: string, to: string): Promise<void> {
  await migrateDatabase(to);
  const [source, target] = [openDatabase(from, 1), openDatabase(to, 1)];
  await target.query(`truncate ${tables.map((table) => `audit.${table}`).join(', ')}`);
  await target.query('alter table audit.streams disable trigger user');
  await source.query('begin isolation level repeatable read');
  for (const table of tables) {
    // A row as text and back is what COPY does; the table's name is ours.
    const rows = await source.query<{ row: string }>(`select t::text as row from audit.${table} t`);
    await target.query(
      `insert into audit.${table} overriding system value select (r::audit.${table}).* from unnest($1::text[]) r`,
      [rows.rows.map((row) => row.row)],
    );
  }
  for (const [table, column] of [
    ['entries', 'id'],
    ['clusters', 'ordinal'],
    ['search_blocks', 'block'],
  ]) {
    await target.query(
      `select setval(pg_get_serial_sequence('audit.${table}', '${column}'), (select coalesce(max(${column}), 1) from audit.${table}))`,
    );
  }
  await target.query('alter table audit.streams enable trigger user');
  await source.query('commit');
  await Promise.all([source.end(), target.end()]);
}

/** Indexes on a table that is in use: built while a product writes, by one of several processes, mended after a broken try. */
import { expect, onTestFinished, test } from 'vitest';
import { buildConcurrently } from '../../src/database/buildConcurrently.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import type { Database } from '../../src/database/pool.ts';
import { insertEntries, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { runCommand } from '../tools/runCommand.ts';

const postgres = usePostgres();
const own = await readMigrations();
const first = own.slice(0, 1);

/** A database as the first release left it, with entries in it. */
async function setUp(): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 8);
  onTestFinished(() => db.end());
  await migrate(db, first);
  await insertEntries(db, numbered(1_000));
  return { url, db };
}

async function validIndexes(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = 'audit.entries'::regclass and i.indisvalid and not i.indisprimary order by 1`,
  );
  return rows.map((row) => row.name);
}

const all = ['entries_by_time', 'entries_by_type', 'entries_by_xid', 'entries_stream_order'];

test('a product writes on while several processes bring its table up to date', async () => {
  const { url, db } = await setUp();
  // A transaction that has written holds the build up, and nobody else: so the build is under way as long as it is open.
  const product = await openSession(url);
  onTestFinished(() => product.end());
  await product.query('begin');
  await insertEntries(product, [{}]);

  const migrating = Promise.all([
    runCommand(['cmd/migrate.ts'], { DATABASE_URL: url }),
    runCommand(['cmd/migrate.ts'], { DATABASE_URL: url }),
    migrate(openPool(url), own),
    migrate(openPool(url), own),
  ]);
  const isBuilding = async () =>
    (
      await db.query(
        `select from pg_stat_progress_create_index where phase like 'waiting for%' and current_locker_pid > 0`,
      )
    ).rowCount === 1;
  await expect.poll(isBuilding, { timeout: 15_000 }).toBe(true);
  // Were they held up, it would be until the test ends.
  for (let i = 0; i < 50; i++) await insertEntries(db, numbered(2));
  expect(await isBuilding()).toBe(true);
  await product.query('commit');

  const [a, b, c, d] = await migrating;
  expect([a.code, b.code]).toEqual([0, 0]);
  const applied = [c, d].flatMap((result) => (result.kind === 'done' ? result.applied : ['too new']));
  const said = [a, b].flatMap(({ stdout }) => stdout.match(/\d{4}_\w+\.sql/g) ?? []);
  expect([...applied, ...said].sort()).toEqual(own.slice(1).map((migration) => migration.name));
  expect((await db.query('select from audit.migrations')).rowCount).toBe(own.length);
  expect(await validIndexes(db)).toEqual(all);
  expect((await db.query('select from audit.entries')).rowCount).toBe(1_101);
});

test.each(['repeatable read', 'serializable'])(
  'transactions that are %s by default do not wait for their own index',
  async (level) => {
    const { url, db } = await setUp();
    await db.query(
      `do $$ begin execute format('alter database %I set default_transaction_isolation = %L', current_database(), '${level}'); end $$`,
    );
    await migrate(openPool(url), own);
    expect(await validIndexes(db)).toEqual(all);
  },
);

test('what a broken try left behind is dropped, what it finished is kept', async () => {
  const { db } = await setUp();
  await migrate(db, own.slice(0, 2));
  // As a build leaves it that was cut off.
  await db.query('create index entries_by_time on audit.entries (organization)');
  await db.query(
    `update pg_index set indisvalid = false where indexrelid = 'audit.entries_by_time'::regclass`,
  );
  // As a process leaves it that ended between the build and its note.
  await db.query('create index entries_by_type on audit.entries (organization, event_type, occurred_at, id)');
  const before = await db.query(`select 'audit.entries_by_type'::regclass::oid as oid`);
  expect(await migrate(db, own)).toEqual({ kind: 'done', applied: own.slice(2).map((m) => m.name) });
  expect(await validIndexes(db)).toEqual(all);
  const { rows } = await db.query(
    `select pg_get_indexdef('audit.entries_by_time'::regclass) as time, 'audit.entries_by_type'::regclass::oid as oid`,
  );
  expect(rows[0]).toEqual({
    time: expect.stringContaining('(organization, occurred_at, id)'),
    oid: before.rows[0].oid,
  });
});

test('a build that fails leaves the next try to begin anew', async () => {
  const { db } = await setUp();
  const broken = {
    number: 2,
    name: '0002_broken.sql',
    breaking: false,
    concurrently: true,
    sql: 'create index concurrently if not exists entries_by_time on audit.entries ((1 / (id - 500)))',
  };
  await expect(migrate(db, [...first, broken])).rejects.toMatchObject({ code: '22012' });
  expect(await validIndexes(db)).toEqual(['entries_stream_order']);
  const mended = {
    ...broken,
    sql: 'create index concurrently if not exists entries_by_time on audit.entries (id)',
  };
  expect(await migrate(db, [...first, mended])).toEqual({ kind: 'done', applied: [broken.name] });
  expect(await validIndexes(db)).toEqual(['entries_by_time', 'entries_stream_order']);
});

test('anything but one index is refused', async () => {
  const { db } = await setUp();
  const lock = await db.connect();
  onTestFinished(() => lock.release());
  const build = { lock, options: db.options, onProgress: () => {} };
  await expect(buildConcurrently(build, 'vacuum audit.entries')).rejects.toThrow('create index concurrently');
});

test('a role that was let in before an upgrade has the rights of the new tables after it', async () => {
  const { url, db } = await setUp();
  const { role, url: roleUrl } = await makeRole(db, url);
  const { role: writer } = await makeRole(db, url);
  // As the first release gave them.
  await db.query('select audit.grant_collector($1), audit.grant_writer($2)', [role, writer]);
  await migrate(db, own);
  const asCollector = openPool(roleUrl);
  await asCollector.query(`insert into audit.page_sessions values ('s', '{}', now())`);
  await asCollector.query(`delete from audit.search_blocks`);
  await asCollector.query(
    `insert into audit.entries (organization, event_type, metadata) values ('acme', 'page.opened', '{}')`,
  );
  const { rows } = await db.query(`select has_table_privilege($1, 'audit.page_sessions', 'select') as may`, [
    writer,
  ]);
  expect(rows).toEqual([{ may: false }]);
});

function openPool(url: string): Database {
  const db = openDatabase(url, 1);
  onTestFinished(() => db.end());
  return db;
}

/** What the collector cannot work with is refused in one sentence; what others may do in the database stops nothing. */
import { expect, onTestFinished, test } from 'vitest';
import { checkServer, checkTables } from '../../src/database/check.ts';
import { describeDatabaseFailure, isDatabaseFailure } from '../../src/database/failure.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { insertEntries, migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { runCommand } from '../tools/runCommand.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const own = await readMigrations();

function open(url: string) {
  const db = openDatabase(url, 2);
  onTestFinished(() => db.end());
  return db;
}

async function setUp() {
  const url = await postgres.createDatabase();
  const db = open(url);
  const collector = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [collector.role]);
  return { url, db, collector };
}

test('a policy that hides rows is an error and no missing row, and readiness names the table', async () => {
  const { db, collector } = await setUp();
  await insertEntries(db, [{}]);
  await db.query('alter table audit.entries enable row level security');
  const asCollector = open(collector.url);
  await expect(asCollector.query('select from audit.entries')).rejects.toMatchObject({ code: '42501' });
  expect(await checkTables(asCollector, own)).toMatchObject({
    kind: 'failed',
    problem: expect.stringMatching(/^Row level security hides rows of audit\.entries from the role/),
  });
});

test('readiness asks for the right to write an entry', async () => {
  const { db, collector } = await setUp();
  await db.query(`revoke insert (metadata) on audit.entries from "${collector.role}"`);
  expect(await checkTables(open(collector.url), own)).toMatchObject({
    problem: expect.stringContaining('entries (INSERT of metadata)'),
  });
});

test("the collector's role may run the migrations where there is nothing to do", async () => {
  const { collector } = await setUp();
  const run = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: collector.url });
  expect([run.code, run.stdout, run.stderr]).toEqual([0, 'The schema is up to date.\n', '']);
});

test('no lock that a user of the database may take stops a migration', async () => {
  const { url, db } = await setUp();
  const { url: anybody } = await makeRole(db, url);
  const session = await openSession(anybody);
  onTestFinished(() => session.end());
  await session.query('select pg_advisory_lock($1)', [0x6175646974]);
  const next = {
    number: 9_001,
    name: '9001_next.sql',
    breaking: false,
    sql: 'create table audit.next (id int)',
  };
  expect(await migrate(db, [...own, next])).toEqual({ kind: 'done', applied: [next.name] });
});

test('a migration that waits for a table says whose transaction has it, and lets inserts through', async () => {
  const { url, db } = await setUp();
  const product = await openSession(url);
  onTestFinished(() => product.end());
  await product.query('begin');
  await insertEntries(product, [{}]);
  const sentences: string[] = [];
  const next = {
    number: 9_001,
    name: '9001_next.sql',
    breaking: false,
    sql: 'alter table audit.entries add column more int',
  };
  const migrating = migrate(db, [...own, next], (sentence) => sentences.push(sentence));
  await expect.poll(() => sentences.length, { timeout: 15_000 }).toBeGreaterThan(0);
  await insertEntries(open(url), [{}]);
  await product.query('commit');
  expect(await migrating).toEqual({ kind: 'done', applied: [next.name] });
  expect(sentences[0]).toMatch(
    /^Migration 9001_next\.sql waits for a table in use: process \d+ of role postgres/,
  );
});

test.each(['SQL_ASCII', 'LATIN1', 'EUC_JP'])(
  'a database in %s is refused in one sentence',
  async (encoding) => {
    const { url, db } = await setUp();
    const name = `in_${encoding.toLowerCase()}`;
    await db.query(
      `create database ${name} encoding '${encoding}' lc_collate 'C' lc_ctype 'C' template template0`,
    );
    const other = new URL(url);
    other.pathname = `/${name}`;
    expect(await checkServer(open(other.href))).toMatchObject({
      problem: expect.stringContaining(`The database is encoded in ${encoding}`),
    });
    const run = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: other.href });
    expect([run.code, run.problems.length]).toEqual([1, 1]);
  },
);

test('migrations hold nothing but ASCII', () => {
  for (const { name, sql } of own) expect([name, /^[\t\n -~]*$/.test(sql)]).toEqual([name, true]);
});

test('a server without TLS is said to have none', async () => {
  const url = new URL(await postgres.createDatabase());
  url.searchParams.set('sslmode', 'require');
  const error = await open(url.href)
    .query('select 1')
    .catch((cause: Error) => cause);
  expect(isDatabaseFailure(error)).toBe(true);
  expect(describeDatabaseFailure(error)).toContain('offers no TLS');
});

test('works for a role with array_nulls off and every transaction serializable', async () => {
  const { db, collector } = await setUp();
  await db.query(`alter role "${collector.role}" set array_nulls = off`);
  await db.query(`alter role "${collector.role}" set default_transaction_isolation = serializable`);
  const asCollector = open(collector.url);
  const { rows } = await asCollector.query('select ($1::text[])[1] is null as is_null', [[null]]);
  expect(rows).toEqual([{ is_null: true }]);
});

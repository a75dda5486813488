/** The schema: brought up to date by any number at once, refused by a binary that is too old, open to roles as far as they need. */
import { expect, onTestFinished, test } from 'vitest';
import { checkServer, checkTables } from '../../src/database/check.ts';
import { type Migration, migrate, readMigrations } from '../../src/database/migrate.ts';
import type { Database } from '../../src/database/pool.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { runCommand } from '../tools/runCommand.ts';

const postgres = usePostgres();
const own = await readMigrations();
const names = own.map((migration) => migration.name);

async function setUp(isMigrated = true): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  const db = open(url);
  if (isMigrated) await migrate(db, own);
  return { url, db };
}

function open(url: string, size = 8): Database {
  const db = openDatabase(url, size);
  onTestFinished(() => db.end());
  return db;
}

async function appliedOf(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>('select name from audit.migrations order by number');
  return rows.map((row) => row.name);
}

test('twenty that migrate at once apply each migration once', async () => {
  const { url, db } = await setUp(false);
  const results = await Promise.all(Array.from({ length: 20 }, () => migrate(open(url, 1), own)));
  const applied = results.flatMap((result) => (result.kind === 'done' ? result.applied : ['too new']));
  expect(applied.sort()).toEqual(names);
  expect(await appliedOf(db)).toEqual(names);
});

test('three processes of cmd/migrate.ts at once all end well, and each migration is applied once', async () => {
  const { url, db } = await setUp(false);
  const runs = await Promise.all([1, 2, 3].map(() => runCommand(['cmd/migrate.ts'], { DATABASE_URL: url })));
  expect(runs.map((run) => [run.code, run.stderr])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ]);
  // Between two migrations another of them may go on.
  const said = runs.flatMap((run) => run.stdout.match(/\d{4}_\w+\.sql|up to date/g) ?? []);
  expect(said.filter((word) => word !== 'up to date').sort()).toEqual(names);
  expect(await appliedOf(db)).toEqual(names);
});

test('a migration that fails leaves nothing of itself, and succeeds once it is mended', async () => {
  const { db } = await setUp();
  const next = (sql: string): Migration => ({ number: 9_001, name: '9001_next.sql', breaking: false, sql });
  const before = { ...next('create table audit.before (id int)'), number: 9_000, name: '9000_before.sql' };
  const broken = next('create table audit.half (id int); insert into audit.half values (1); select 1 / 0');
  await expect(migrate(db, [...own, before, broken])).rejects.toMatchObject({ code: '22012' });
  expect(await appliedOf(db)).toEqual([...names, before.name]);
  const half = await db.query(
    `select to_regclass('audit.half') as half, to_regclass('audit.before') as before`,
  );
  expect(half.rows).toEqual([{ half: null, before: 'audit.before' }]);
  // The connection that failed is not used again in a broken state.
  const mended = next('create table audit.half (id int)');
  expect(await migrate(db, [...own, before, mended])).toEqual({ kind: 'done', applied: [mended.name] });
});

test('cmd/migrate.ts that cannot migrate exits with 1 and leaves nothing behind', async () => {
  const { url, db } = await setUp(false);
  await db.query('create schema audit; create table audit.streams (somebody text)');
  const { code, stdout, problems } = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: url });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(problems).toEqual([expect.stringContaining('The migration failed and left nothing behind')]);
  expect(problems[0]).toContain('relation "streams" already exists');
  const { rows } = await db.query(
    `select table_name from information_schema.tables where table_schema = 'audit'`,
  );
  expect(rows).toEqual([{ table_name: 'streams' }]);
});

test('an older binary refuses a newer breaking schema by one sentence', async () => {
  const { url, db } = await setUp();
  await db.query(`insert into audit.migrations values (9001, '9001_rename.sql', true)`);
  const problem =
    'The database schema has migration 9001_rename.sql, which this version cannot work with: run the version that added it, or a newer one.';
  const run = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: url });
  expect([run.code, run.stdout, run.problems]).toEqual([1, '', [problem]]);
  expect(await checkTables(db, own)).toEqual({ kind: 'failed', problem });
  const after = await db.query('select from audit.streams');
  expect(after.rowCount).toBe(0);
});

test('a newer schema that is not breaking is fine', async () => {
  const { url, db } = await setUp();
  await db.query(`insert into audit.migrations values (9001, '9001_add.sql', false)`);
  const run = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: url });
  expect([run.code, run.stdout, run.stderr]).toEqual([0, 'The schema is up to date.\n', '']);

  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  await insertEntries(db, numbered(3));
  const collector = await makeCollectorProcess(url);
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  await receiver.waitFor((r) => r.ledger.storedCount === 3);
  expect(await collector.kill('SIGTERM')).toBe(0);
});

test('a database without the schema is told which migrations it lacks, and the way out', async () => {
  const { db } = await setUp(false);
  expect(await checkTables(db, own)).toMatchObject({
    problem: `The database lacks migration ${names.join(', ')}: run \`node cmd/migrate.ts\`.`,
  });
});

test("the writer's role inserts the documented columns and can do nothing else", async () => {
  const { url, db } = await setUp();
  const { role, url: writerUrl } = await makeRole(db, url);
  const writer = open(writerUrl, 1);
  const insert = `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
    values ('acme', 'flow.created', 'u-17', 'Ada', 'api_key', 'web', '{"flowId": 42}', now())`;
  const denied = { code: '42501' };
  await expect(writer.query(insert)).rejects.toMatchObject(denied);
  await db.query('select audit.grant_writer($1)', [role]);
  await writer.query(insert);
  await writer.query(
    `insert into audit.entries (organization, event_type, metadata) values ('acme', 'x', '{}')`,
  );

  const required = `organization, event_type, metadata`;
  const values = `'acme', 'hidden', '{}'`;
  for (const statement of [
    `insert into audit.entries (${required}, xid) values (${values}, '3')`,
    `insert into audit.entries (${required}, uid) values (${values}, gen_random_uuid())`,
    `insert into audit.entries (${required}, cluster) values (${values}, 1)`,
    `insert into audit.entries (${required}, id) overriding system value values (${values}, 1)`,
    `insert into audit.entries (${required}) values (${values}) returning id`,
    'select count(*) from audit.entries',
    'select organization from audit.entries',
    `update audit.entries set event_type = 'other'`,
    `update audit.entries set metadata = '{}' where true`,
    'delete from audit.entries',
    'truncate audit.entries',
    'alter table audit.entries disable trigger all',
    'create table audit.mine (id int)',
    "select nextval(pg_get_serial_sequence('audit.entries', 'id'))",
    'select * from audit.streams',
    'update audit.streams set settled = pg_current_snapshot()',
    'delete from audit.parked',
    `select audit.replay_parked('acme')`,
    `select audit.grant_writer('${role}')`,
    `select audit.grant_collector('${role}')`,
  ]) {
    const outcome = await writer.query(statement).then(
      () => 'allowed',
      (error: { code?: string }) => error.code,
    );
    expect([statement, outcome]).toEqual([statement, denied.code]);
  }
  const { rows } = await db.query('select event_type from audit.entries order by id');
  expect(rows).toEqual([{ event_type: 'flow.created' }, { event_type: 'x' }]);
});

test("the collector's role does the whole work without owning a table, and cannot change an entry", async () => {
  const { url, db } = await setUp();
  const { role, url: collectorUrl } = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [role]);
  const asCollector = open(collectorUrl);
  expect(await checkServer(asCollector)).toMatchObject({ kind: 'ok' });
  expect(await checkTables(asCollector, own)).toMatchObject({ kind: 'ok' });

  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const isPoisoned = (records: readonly { eventName: string }[]) =>
    records.some((record) => record.eventName === 'poison');
  receiver.answerWith(({ records }) => (isPoisoned(records) ? { status: 400, body: 'no' } : ok));
  await insertEntries(db, [...numbered(40), { eventType: 'poison' }, ...numbered(40)]);
  const engine = await startEngine(asCollector);
  engine.setConfigs(makeConfig(receiver.endpoint));
  expect(await engine.waitForIdle()).toMatchObject({ delivered: 80, parked: 1 });
  receiver.answerWith(ok);
  await asCollector.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth((health) => health.parked === 0 && health.delivered === 81);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
  await engine.stop();
  const left = await db.query('select holder from audit.streams union all select id from audit.replicas');
  expect(left.rows).toEqual([{ holder: null }]);

  for (const statement of [
    `update audit.entries set event_type = 'other'`,
    'delete from audit.entries',
    `insert into audit.entries (organization, event_type, metadata, xid) values ('acme', 'x', '{}', '3')`,
    'truncate audit.streams',
    'drop table audit.parked',
    `insert into audit.migrations values (9001, 'x', true)`,
  ]) {
    await expect(asCollector.query(statement), statement).rejects.toMatchObject({ code: '42501' });
  }
});

test('a role without its rights is told which function gives them', async () => {
  const { url, db } = await setUp();
  const { role, url: roleUrl } = await makeRole(db, url);
  expect(await checkTables(open(roleUrl, 1), own)).toMatchObject({
    problem: expect.stringContaining('audit.grant_collector('),
  });

  await db.query(`grant usage on schema audit to "${role}"`);
  await db.query(`grant select on all tables in schema audit to "${role}"`);
  expect(await checkTables(open(roleUrl, 1), own)).toMatchObject({
    kind: 'failed',
    problem: expect.stringMatching(
      /lacks rights in schema audit: streams \(INSERT\), .*entries \(INSERT of metadata\).*grant_collector/,
    ),
  });
});

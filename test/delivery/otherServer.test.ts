/** Entries that another server wrote come in while the collector runs: by a restore, by a subscription. */
import { expect, onTestFinished, test } from 'vitest';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { startTestPostgres, usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('a restore that carries cluster and transaction along, as the owner or with triggers off, loses nothing', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db, { leaseDurationMs: 1_000 });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, numbered(10));
  await engine.waitForHealth((health) => health.delivered === 10 && health.activity === 'idle');
  for (const [cluster, role] of [
    ['4711', 'origin'],
    ['4712', 'replica'],
  ]) {
    // As pg_dump --data-only --disable-triggers and psql do.
    const client = await db.connect();
    await client.query(`set session_replication_role = ${role}`);
    await client.query(
      `insert into audit.entries (id, cluster, xid, organization, event_type, metadata) overriding system value
       select $1::bigint * 100 + n, $1::bigint, '77'::xid8, 'acme', 'restored', '{}' from generate_series(1, 12) n`,
      [cluster],
    );
    await client.query('reset session_replication_role');
    client.release();
  }
  const uids = await uidsOf(db);
  expect(uids).toHaveLength(34);
  await receiver.waitFor((r) => r.ledger.storedCount === 34);
  await insertEntries(db, numbered(3));
  await receiver.waitFor((r) => r.ledger.storedCount === 37);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
});

test('a subscription to another server loses nothing, in its first copy and afterwards', {
  timeout: 60_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  const other = await startTestPostgres('embedded', { wal_level: 'logical' });
  onTestFinished(() => other.remove());
  await migrateDatabase(other.url);
  const source = openDatabase(other.url, 2);
  await source.query('alter table audit.entries alter column id restart with 1000000');
  await source.query('create publication entries for table audit.entries');
  await insertEntries(source, numbered(15, { eventType: 'copied' }));

  const engine = await startEngine(db, { leaseDurationMs: 1_000 });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, numbered(10));
  await engine.waitForHealth((health) => health.delivered === 10 && health.activity === 'idle');
  const from = new URL(other.url);
  await db.query(
    `create subscription entries connection 'host=127.0.0.1 port=${from.port} user=postgres password=${from.password} dbname=postgres' publication entries`,
  );
  await receiver.waitFor((r) => r.ledger.storedCount === 25, 30_000);
  await insertEntries(source, numbered(20, { eventType: 'applied' }));
  await receiver.waitFor((r) => r.ledger.storedCount === 45, 30_000);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  await db.query('drop subscription entries');
  await source.end();
});

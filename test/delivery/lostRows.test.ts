/** Rows that are not where they were: a lost stream, a row set back by a failover, entries of another cluster. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { insertEntries, migrateDatabase, numbered, openSession, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test.each(['beginning', 'now'] as const)(
  'makes a lost stream again by startFrom %s, and says so',
  async (kind) => {
    const { db, receiver } = await setUp(postgres);
    const engine = await startEngine(db, { leaseDurationMs: 1_000 });
    engine.setConfigs(makeConfig(receiver.endpoint, { startFrom: { kind } }));
    await engine.waitForIdle();
    await insertEntries(db, numbered(20));
    await engine.waitForHealth((h) => h.delivered === 20 && h.activity === 'idle');
    await db.query('delete from audit.streams');
    const again = await engine.waitForHealth((h) => h.lastError?.reason === 'StreamRestarted');
    expect(again.lastError?.message).toMatch(/gone from the database .* made again by startFrom/);
    await insertEntries(db, numbered(10));
    const uids = await uidsOf(db);
    const received = () => [...new Set(receiver.records.map((record) => record.uid))].sort();
    await receiver.waitFor(() => received().length === 30);
    expect(received()).toEqual(uids);
    await engine.waitForIdle();
    const kept = await db.query(`select last_error ->> 'reason' as reason from audit.streams`);
    expect(kept.rows).toEqual([{ reason: 'StreamRestarted' }]);
  },
);

test('gives numbers that were sent ahead of a failure to nobody else after a failover has taken the entries back', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db, { maxRequestsInFlight: 4, leaseDurationMs: 2_000 });
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
  await engine.waitForIdle();
  const before = await db.query('select * from audit.streams');
  // The first batch fails, those behind it are taken ahead of it.
  let isDown = true;
  receiver.answerWith(({ records }) => ({
    status: isDown && (records[0]?.sequence ?? 0) === 1 ? 503 : 200,
  }));
  await insertEntries(db, numbered(40, { eventType: 'lost' }));
  await receiver.waitFor((r) => r.ledger.storedCount >= 30);
  // What a failover to a standby without the last commits leaves: no entries, the row as it was, other entries soon.
  await db.query('delete from audit.entries');
  await insertEntries(db, numbered(40, { eventType: 'kept' }));
  await db.query(
    `update audit.streams set window_snapshot = null, window_pinned_at = null, window_filter = null, position_xid = null,
       position_id = null, sequence = 0, settled = $1`,
    [before.rows[0].settled],
  );
  await db.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);
  isDown = false;
  const uids = await uidsOf(db);
  await receiver.waitFor((r) => uids.every((uid) => r.ledger.kept().has(uid)));
  expect(uids).toHaveLength(40);
  const health = await engine.waitForIdle();
  expect(health.delivered).toBe(40);
});

test('finds a window that it does not know of', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  // As a failover leaves it that lost the end of a window: pinned in the database, unknown to the process.
  const session = await openSession(url);
  await session.query('begin');
  await insertEntries(session, numbered(5));
  await session.query(
    'commit; update audit.streams set window_snapshot = pg_current_snapshot(), window_pinned_at = clock_timestamp(), window_filter = \'{"eventTypes":[],"excludeEventTypes":[],"projects":[]}\' where window_snapshot is null',
  );
  await session.end();
  await receiver.waitFor((r) => r.ledger.storedCount === 5);
  await engine.waitForIdle();
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('delivers entries that come in with the transaction id of another cluster, or with an old one', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, numbered(3));
  await engine.waitForHealth((h) => h.delivered === 3 && h.activity === 'idle');
  for (const place of ['77, 5', '77, 900000', '88, 3', 'audit.cluster_id(), 3']) {
    await db.query(`insert into audit.entries (organization, event_type, metadata, cluster, xid)
      select 'acme', 'imported', '{}', c, x::text::xid8 from (values (${place})) as v(c, x)`);
  }
  await receiver.waitFor((r) => r.ledger.storedCount === 7);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

test('visits a cluster that was imported while nothing looked at the table', async () => {
  const { db, receiver } = await setUp(postgres);
  const first = await startEngine(db);
  first.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, numbered(3));
  await first.waitForHealth((h) => h.delivered === 3 && h.activity === 'idle');
  await first.stop();
  // As a restore does that switches triggers off.
  await db.query('alter table audit.entries disable trigger all');
  await db.query(`insert into audit.entries (organization, event_type, metadata, cluster, xid)
    select 'acme', 'imported', '{}', 77, (100 - n)::text::xid8 from generate_series(1, 20) n`);
  await db.query('alter table audit.entries enable always trigger take_over_entry');
  const second = await startEngine(db);
  second.setConfigs(makeConfig(receiver.endpoint));
  await receiver.waitFor((r) => r.ledger.storedCount === 23);
  await insertEntries(db, numbered(2));
  await receiver.waitFor((r) => r.ledger.storedCount === 25);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('delivers what is imported behind the place of a stream that still reads another cluster', async () => {
  const { db, receiver } = await setUp(postgres);
  const importEntries = (...xids: number[]) =>
    db.query(
      `insert into audit.entries (organization, event_type, metadata, cluster, xid)
       select 'acme', 'imported', '{}', 77, x::text::xid8 from unnest($1::int[]) x`,
      [xids],
    );
  // As a restore leaves it before any collector has seen this cluster.
  await importEntries(...Array.from({ length: 20 }, (_, i) => 1_001 + i));
  receiver.answerWith(({ records }) => ({ status: (records.at(-1)?.sequence ?? 0) > 10 ? 503 : 200 }));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 5 }));
  await engine.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable');
  const before = await db.query('select cluster, position_xid from audit.streams');
  expect(before.rows).toEqual([{ cluster: '77', position_xid: '1010' }]);
  // Before the window, and inside what is settled of it.
  await importEntries(900, 1_003);
  receiver.answerWith({ status: 200 });
  await receiver.waitFor((r) => r.ledger.storedCount === 22);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('parks an entry again, at the number that it had, once somebody has set the stream back', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  receiver.answerWith(({ records }) => ({
    status: records.some((r) => r.eventName === 'poison') ? 400 : 200,
  }));
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, [...numbered(3), { eventType: 'poison' }, ...numbered(3)]);
  await engine.waitForHealth((h) => h.parked === 1 && h.activity === 'idle');
  await db.query(`update audit.streams set settled = '3:3:', sequence = 0, delivered = 0`);
  await insertEntries(db, numbered(3));
  await receiver.waitFor((r) => r.ledger.storedCount === 9);
  const health = await engine.waitForHealth((h) => h.delivered === 9 && h.activity === 'idle');
  expect(health.failure).toBeNull();
  const parked = await db.query('select sequence, reason from audit.parked');
  expect(parked.rows).toEqual([{ sequence: '4', reason: 'EntryRefused' }]);
});

test('reads a window in full although the table is rewritten while a read waits for it', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  receiver.answerWith({ status: 503 });
  await insertEntries(db, numbered(4));
  // Pinned, and read again and again.
  await engine.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable');
  const session = await openSession(url);
  await session.query('begin; alter table audit.entries add column extra uuid default gen_random_uuid()');
  await delay(1_000);
  receiver.answerWith({ status: 200 });
  await session.query('commit');
  await session.end();
  await engine.waitForHealth((h) => h.activity === 'idle' && h.failure === null);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

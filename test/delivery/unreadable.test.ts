/** Rows that cannot be read, or that would take all memory: set aside by themselves, said, counted; all others go on. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { damage } from '../tools/damage.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

/** As rows of before a bound was there: whatever the table refuses today is let through. */
async function insertUnbound(db: Database, metadata: string, actorName = 'null'): Promise<string> {
  const client = await db.connect();
  try {
    await client.query('begin');
    await client.query(
      `do $$ declare c name; begin
         for c in select conname from pg_catalog.pg_constraint where conrelid = 'audit.entries'::regclass and contype = 'c'
         loop execute format('alter table audit.entries drop constraint %I', c); end loop; end $$`,
    );
    await client.query('alter table audit.entries disable trigger user');
    const { rows } = await client.query<{ id: string }>(
      `insert into audit.entries (organization, event_type, actor_name, metadata)
       values ('acme', 'large', ${actorName}, ${metadata}) returning id::text`,
    );
    await client.query('alter table audit.entries enable trigger user');
    await client.query('commit');
    return rows[0]?.id ?? '';
  } finally {
    client.release();
  }
}

const exponents = (count: number): string =>
  `(select jsonb_agg(x) from (select '1e131071'::jsonb as x from generate_series(1, ${count})) n)`;

const incompressible = `(select jsonb_agg(md5(n::text)) from generate_series(1, 400) n)`;

test('parks an entry of more than 1 GB as text, in its turn, and delivers all others', {
  timeout: 120_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(1_000));
  const id = await insertUnbound(db, exponents(8_300));
  await insertEntries(db, numbered(1_400));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForHealth(
    (h) => h.activity === 'idle' && h.parked === 1,
    undefined,
    100_000,
  );
  expect(health).toMatchObject({ delivered: 2_400, failure: null, lastError: { reason: 'EntryUnreadable' } });
  expect(health.lastError?.message).toContain(`entry ${id} `);
  const parked = await db.query('select entry_id, sequence, reason from audit.parked');
  expect(parked.rows).toEqual([{ entry_id: id, sequence: '1001', reason: 'EntryUnreadable' }]);
  expect(receiver.ledger.storedCount).toBe(2_400);
  expect(receiver.ledger.missingSequences()).toEqual([1001]);
});

test('parks an entry of hundreds of megabytes as text without reading it, and one in another column', {
  timeout: 120_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(10));
  await insertUnbound(db, exponents(3_200));
  await insertUnbound(db, `'{}'`, `repeat('x', 400000000)`);
  await insertEntries(db, numbered(10));
  const before = process.memoryUsage().rss;
  let highest = before;
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss);
  }, 20);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForHealth(
    (h) => h.activity === 'idle' && h.parked === 2,
    undefined,
    100_000,
  );
  clearInterval(watch);
  expect(health).toMatchObject({ delivered: 20, failure: null, lastError: { reason: 'EntryTooLarge' } });
  expect((highest - before) / 1024 ** 2).toBeLessThan(100);
});

test('delivers the largest rows that may be', { timeout: 120_000 }, async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  await insertUnbound(db, `(select jsonb_agg(null::int) from generate_series(1, 4000000))`);
  await insertUnbound(db, exponents(100));
  await insertUnbound(db, `jsonb_build_object('pad', repeat('x', 13000000))`);
  await insertEntries(db, numbered(3));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForHealth((h) => h.activity === 'idle', undefined, 100_000);
  expect(health).toMatchObject({ delivered: 9, parked: 0 });
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

test('parks an entry whose stored pieces are damaged, and replays it once it is repaired', {
  timeout: 60_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(5));
  const id = await insertUnbound(db, incompressible);
  await insertEntries(db, numbered(5));
  await damage(db, id);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.activity === 'idle' && h.parked === 1);
  expect(receiver.ledger.storedCount).toBe(10);

  // Still damaged: it comes back, and nothing goes round in circles.
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth((h) => h.activity === 'idle' && h.lastError?.resolvedTime !== undefined);
  const asked = await db.query('select from audit.parked where replay_requested_at is not null');
  await expect
    .poll(
      async () => (await db.query('select from audit.parked where replay_requested_at is not null')).rowCount,
      { timeout: 20_000 },
    )
    .toBe(0);
  expect(asked.rowCount).toBeLessThanOrEqual(1);

  await db.query(`update audit.entries set metadata = '{"repaired": true}' where id = $1`, [id]);
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth((h) => h.activity === 'idle' && h.parked === 0);
  expect(receiver.records.find((record) => record.sequence === 6)?.body).toEqual(
    new Map([['repaired', true]]),
  );
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('leaves out a damaged entry that the filter leaves out', { timeout: 60_000 }, async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  const id = await insertUnbound(db, incompressible);
  await insertEntries(db, numbered(3));
  await damage(db, id);
  const engine = await startEngine(db);
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: [], projects: [] };
  engine.setConfigs(makeConfig(receiver.endpoint, { filter }));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 6, parked: 0, lastError: null });
});

test('parks nothing while no entry at all can be read', { timeout: 60_000 }, async () => {
  const { db, receiver } = await setUp(postgres);
  const ids: string[] = [];
  for (let i = 0; i < 9; i++) ids.push(await insertUnbound(db, incompressible));
  for (const id of ids) await damage(db, id);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth(
    (h) => h.failure?.reason === 'DatabaseUnavailable' && h.failure.since < Date.now() - 3_000,
  );
  expect((await db.query('select from audit.parked')).rowCount).toBe(0);
  await insertEntries(db, numbered(2));
  await engine.waitForHealth(
    (h) => h.activity === 'idle' && h.parked === 9 && h.delivered === 2,
    undefined,
    40_000,
  );
});

test('a replay of entries whose rows are gone says so, asks no more, and sends those that exist', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith((request) =>
    request.records.some((record) => record.eventName === 'poison') ? { status: 400 } : { status: 200 },
  );
  await insertEntries(
    db,
    [...numbered(2), ...numbered(23, { eventType: 'poison' }), ...numbered(2)].map((entry, i) => ({
      ...entry,
      metadata: `{"i": ${i}}`,
    })),
  );
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 1 }));
  await engine.waitForHealth((h) => h.activity === 'idle' && h.parked === 23, undefined, 60_000);
  await db.query(
    'delete from audit.entries where id in (select entry_id from audit.parked order by sequence limit 20)',
  );
  receiver.answerWith({ status: 200 });
  await db.query(`select audit.replay_parked('acme')`);
  const health = await engine.waitForHealth(
    (h) => h.activity === 'idle' && h.parked === 20 && h.delivered === 7,
    undefined,
    30_000,
  );
  expect(health.failure).toBeNull();
  const { rows } = await db.query(
    'select reason, count(*)::int, count(replay_requested_at)::int as asked from audit.parked group by reason',
  );
  expect(rows).toEqual([{ reason: 'EntryMissing', count: 20, asked: 0 }]);
  expect(engine.log.some((line) => line.includes('EntryMissing'))).toBe(true);
  expect(engine.health()?.lastError?.reason).toBe('EntryMissing');
}, 90_000);

test('among many organizations that write little, a damaged entry is the trouble of its own', {
  timeout: 60_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  const organizations = Array.from({ length: 12 }, (_, n) => `org-${n}`);
  const [damaged = '', ...others] = organizations;
  const configs = (suspend: boolean) =>
    organizations.map((organization) =>
      makeConfig(receiver.endpoint, {
        key: `test/${organization}`,
        organization,
        suspend: suspend && organization === damaged,
      }),
    );
  const engine = await startEngine(db);
  engine.setConfigs(...configs(false));
  for (const event of ['first', 'second']) {
    await insertEntries(
      db,
      organizations.map((organization) => ({ organization, eventType: event })),
    );
    for (const organization of organizations)
      await engine.waitForHealth(
        (h) => h.activity === 'idle' && h.delivered === (event === 'first' ? 1 : 2),
        `test/${organization}`,
      );
  }
  engine.setConfigs(...configs(true));
  await engine.waitForHealth((h) => h.activity === 'suspended', `test/${damaged}`);
  const large = JSON.stringify(Array.from({ length: 400 }, () => randomUUID()));
  const [id = ''] = await insertEntries(db, [{ organization: damaged, metadata: large }]);
  await damage(db, id);
  engine.setConfigs(...configs(false));
  await insertEntries(
    db,
    organizations.map((organization) => ({ organization, eventType: 'third' })),
  );
  const health = await engine.waitForHealth(
    (h) => h.activity === 'idle' && h.parked === 1,
    `test/${damaged}`,
    30_000,
  );
  expect(health).toMatchObject({ delivered: 3, lastError: { reason: 'EntryUnreadable' } });
  for (const organization of others) {
    const other = await engine.waitForHealth(
      (h) => h.activity === 'idle' && h.delivered === 3,
      `test/${organization}`,
    );
    expect(other).toMatchObject({ parked: 0, failure: null, lastError: null });
  }
  // Too large for a read that many share: in a turn of its own, and then as before.
  const [big = ''] = others;
  for (const [n, metadata] of [JSON.stringify('x'.repeat(300_000)), '{}'].entries()) {
    await insertEntries(db, [{ organization: big, metadata }]);
    await engine.waitForHealth((h) => h.activity === 'idle' && h.delivered === 4 + n, `test/${big}`);
  }
  const { rows } = await db.query<{ id: string; organization: string }>(
    'select id, organization from audit.streams',
  );
  for (const { id: stream, organization } of rows) {
    const kept = receiver.ledger.storedUids(stream);
    expect(kept).toHaveLength(organization === big ? 5 : 3);
    if (organization !== damaged) expect(kept.sort()).toEqual(await uidsOf(db, organization));
  }
});

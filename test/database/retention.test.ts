/** What the database lets go of, and what it refuses to, whoever asks. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { claimStreams } from '../../src/database/leases.ts';
import type { Database } from '../../src/database/pool.ts';
import { deleteExpired, isAnyRetained } from '../../src/database/retention.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUpDatabase() {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  return { url, db };
}

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

/** One entry for each age in days; their event type is the age. */
async function writeAged(db: Database, ages: readonly number[], organization = 'acme'): Promise<string[]> {
  return insertEntries(
    db,
    ages.map((age) => ({ organization, eventType: `age.${age}`, occurredAt: daysAgo(age) })),
  );
}

/** Event types of what a product has written, from the oldest. */
async function leftOf(db: Database, organization = 'acme'): Promise<string[]> {
  const { rows } = await db.query<{ type: string }>(
    `select event_type as type from audit.entries where organization = $1 and event_type not like 'audit_log.%' order by occurred_at`,
    [organization],
  );
  return rows.map(({ type }) => type);
}

async function toldTo(db: Database, organization = 'acme'): Promise<{ type: string; metadata: unknown }[]> {
  const { rows } = await db.query(
    `select event_type as type, metadata from audit.entries where organization = $1 and event_type like 'audit_log.%' order by id`,
    [organization],
  );
  return rows;
}

/** As often as there is something due now. */
async function expire(db: Pick<Database, 'query'>, organization = 'acme', most = 1_000): Promise<number> {
  let total = 0;
  for (;;) {
    const { rows } = await db.query<{ deleted: number; is_whole: boolean; busy: boolean }>(
      'select * from audit.delete_expired($1, $2)',
      [organization, most],
    );
    total += rows[0]?.deleted ?? 0;
    if (rows[0]?.is_whole !== false || rows[0].busy) return total;
  }
}

/** A stream that has delivered all that is committed by now, or with `settled` what that snapshot shows. */
async function makeStream(
  db: Database,
  { organization = 'acme', settled = null as string | null, config = null as string | null } = {},
): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into audit.streams (config_key, organization, destination, cluster, settled, config)
     values ($1, $2, 'flows.siem', audit.cluster_id(), coalesce($3::pg_snapshot, pg_current_snapshot()), coalesce($4::jsonb, 'null'))
     returning id::text`,
    [randomUUID(), organization, settled, config],
  );
  return rows[0]?.id ?? '';
}

const settle = (db: Database, stream: string) =>
  db.query('update audit.streams set settled = pg_current_snapshot() where id = $1', [stream]);

/** Until a session of this database waits for another one. */
const waitUntilBlocked = (db: Database) =>
  waitFor(async () => {
    const { rowCount } = await db.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return (rowCount ?? 0) > 0;
  });

const progressOf = async (db: Database, organization = 'acme') =>
  (
    await db.query(
      'select undelivered::int, parked::int, held::int, waits_for, waiting_since is not null as waits, deleted::int from audit.retention_progress where organization = $1',
      [organization],
    )
  ).rows[0];

test('nothing goes without a period, and by a period only what is older', async () => {
  const { db } = await setUpDatabase();
  await writeAged(db, [400, 31, 29, 0]);
  expect(await expire(db)).toBe(0);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  expect(await expire(db)).toBe(2);
  expect(await leftOf(db)).toEqual(['age.29', 'age.0']);
  expect(await toldTo(db)).toMatchObject([
    { type: 'audit_log.retention_changed', metadata: { from: 'forever', to: '30 days', by: 'postgres' } },
    { type: 'audit_log.entries_expired', metadata: { count: 2, kept: '30 days' } },
  ]);
  // Once a day.
  await writeAged(db, [50]);
  expect(await expire(db)).toBe(1);
  expect(await toldTo(db)).toHaveLength(2);
});

test('three organizations, three periods: each loses exactly what is due, in batches', async () => {
  const { db } = await setUpDatabase();
  const ages = Array.from({ length: 60 }, (_, n) => n);
  for (const organization of ['ada', 'bob', 'cy']) await writeAged(db, ages, organization);
  await db.query(
    `select audit.set_retention('ada', '10 days'), audit.set_retention('bob', null), audit.set_retention('*', '40 days')`,
  );
  for (const organization of ['ada', 'bob', 'cy']) await expire(db, organization, 7);
  expect((await leftOf(db, 'ada')).length).toBe(10);
  expect((await leftOf(db, 'bob')).length).toBe(60);
  expect((await leftOf(db, 'cy')).length).toBe(40);
  expect(await toldTo(db, 'bob')).toEqual([]);
  await db.query(`select audit.unset_retention('ada'), audit.unset_retention('bob')`);
  await expire(db, 'bob');
  expect((await leftOf(db, 'bob')).length).toBe(40);
});

test('what a destination has not delivered stays until it has, and it is said which', async () => {
  const { db } = await setUpDatabase();
  const stream = await makeStream(db);
  await writeAged(db, [90, 80]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  expect(await expire(db)).toBe(0);
  expect(await progressOf(db)).toMatchObject({ undelivered: 2, waits_for: ['flows.siem'], waits: true });
  await settle(db, stream);
  const late = await makeStream(db, { settled: '3:3:' });
  expect(await expire(db)).toBe(0);
  await settle(db, late);
  expect(await expire(db)).toBe(2);
  expect(await progressOf(db)).toMatchObject({ undelivered: 0, waits_for: [], waits: false, deleted: 2 });
});

test('a transaction that is open while others are delivered keeps its own', async () => {
  const { url, db } = await setUpDatabase();
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await insertEntries(session, [{ eventType: 'late', occurredAt: daysAgo(99) }]);
  await writeAged(db, [98]);
  await makeStream(db);
  await session.query('commit');
  expect(await expire(db)).toBe(1);
  expect(await leftOf(db)).toEqual(['late']);
});

test('what is parked stays, and goes once it was sent again', async () => {
  const { db } = await setUpDatabase();
  const [id] = await writeAged(db, [90, 80]);
  const stream = await makeStream(db);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  await db.query(
    `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message) values ($1, 1, $2, now(), 'Refused', 'No.')`,
    [stream, id],
  );
  expect(await expire(db)).toBe(1);
  expect(await leftOf(db)).toEqual(['age.90']);
  expect(await progressOf(db)).toMatchObject({ parked: 1, waits_for: ['flows.siem'] });
  await db.query('delete from audit.parked');
  await db.query('insert into audit.replayed values ($1, $2, now())', [stream, id]);
  expect(await expire(db)).toBe(1);
  expect((await db.query('select from audit.replayed')).rowCount).toBe(0);
});

test('a destination that was deleted keeps back nothing after 30 days, and its parked entries go too', async () => {
  const { db } = await setUpDatabase();
  const [id] = await writeAged(db, [90]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const deletedAgo = (days: number) => JSON.stringify({ deleted: true, at: daysAgo(days) });
  const stream = await makeStream(db, { settled: '3:3:', config: deletedAgo(29) });
  await db.query(
    `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message) values ($1, 1, $2, now(), 'Refused', 'No.')`,
    [stream, id],
  );
  expect(await expire(db)).toBe(0);
  await db.query('update audit.streams set config = $1', [deletedAgo(31)]);
  // One that a collector sends has a config, whatever was noted.
  const replica = randomUUID();
  await db.query(
    `insert into audit.replicas (id, name, wants, expires_at) values ($1, 'a', 'x', now() + interval '1 hour')`,
    [replica],
  );
  await db.query('update audit.streams set holder = $1', [replica]);
  expect(await expire(db)).toBe(0);
  await db.query('update audit.streams set holder = null');
  await db.query(
    `insert into audit.stream_history (stream, number, at, cluster, settled, other_clusters)
     select id, n, now() - n * interval '20 days', cluster, settled, other_clusters from audit.streams, generate_series(1, 3) n`,
  );
  expect(await expire(db)).toBe(1);
  expect((await db.query('select from audit.parked')).rowCount).toBe(0);
  expect((await db.query('select number::int from audit.stream_history')).rows).toEqual([{ number: 1 }]);
});

test.each<[what: string, hold: string, stays: string[]]>([
  ['all', `audit.hold('acme', 'Case 7')`, ['age.90', 'age.80', 'age.70']],
  [
    'a range',
    `audit.hold('acme', 'Case 7', since => now() - interval '85 days', until => now() - interval '75 days')`,
    ['age.80'],
  ],
  ['an actor', `audit.hold('acme', 'Case 7', actor => 'u-1')`, ['age.70']],
  ['every organization', `audit.hold('*', 'Case 7')`, ['age.90', 'age.80', 'age.70']],
])('a hold of %s keeps what it names until it is released', async (_, hold, stays) => {
  const { db } = await setUpDatabase();
  await writeAged(db, [90, 80, 70]);
  await db.query(`update audit.entries set actor_id = 'u-1' where event_type = 'age.70'`);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const { rows } = await db.query<{ id: string }>(`select ${hold} as id`);
  expect(await expire(db)).toBe(3 - stays.length);
  expect(await leftOf(db)).toEqual(stays);
  expect(await progressOf(db)).toMatchObject({ held: stays.length, waits: false });
  expect((await db.query('select audit.release($1) as ended', [rows[0]?.id])).rows).toEqual([
    { ended: true },
  ]);
  expect((await db.query('select audit.release($1) as ended', [rows[0]?.id])).rows).toEqual([
    { ended: false },
  ]);
  expect(await expire(db)).toBe(stays.length);
  const types = (await toldTo(db)).map(({ type }) => type);
  expect(types.filter((type) => type.includes('hold'))).toEqual([
    'audit_log.hold_placed',
    'audit_log.hold_released',
  ]);
});

test('nothing that the floor protects goes, and no period goes below it', async () => {
  const { db } = await setUpDatabase();
  await writeAged(db, [90, 20]);
  await db.query(`select audit.set_retention('acme', '10 days')`);
  await db.query(`select audit.set_retention_floor('60 days')`);
  expect(await expire(db)).toBe(1);
  expect(await leftOf(db)).toEqual(['age.20']);
  await expect(db.query(`select audit.set_retention('acme', '5 days')`)).rejects.toThrow(
    "below the owner's floor of 60 days",
  );
});

test.each([
  [`audit.set_retention('acme', '0 days')`, 'longer than nothing'],
  [`audit.set_retention('', '5 days')`, 'needs an organization'],
  [`audit.hold('acme', '')`, 'needs a reason'],
  [`audit.hold('', 'Case 7')`, 'needs an organization'],
  [`audit.hold('acme', 'x', since => '2026-01-02', until => '2026-01-01')`, 'correct one of the two'],
  [`audit.set_retention('acme', '-100 years 36100 days')`, 'longer than nothing'],
  [`audit.set_retention('acme', '10000 years')`, 'give null to keep entries forever'],
  [`audit.set_retention(repeat('x', 257), '5 days')`, 'at most 256 characters'],
  [`audit.set_retention_floor(null)`, 'needs a period'],
  [`audit.set_retention_floor('-1 day')`, 'longer than nothing'],
  [`audit.hold('acme', repeat('x', 1025))`, 'shorten it'],
  [`audit.delete_expired('acme', 0)`, 'takes 1 to 10000 entries at once'],
  [`audit.delete_expired('acme', null)`, 'takes 1 to 10000 entries at once'],
])('%s is refused in a sentence', async (call, sentence) => {
  const { db } = await setUpDatabase();
  await expect(db.query(`select ${call}`)).rejects.toThrow(sentence);
});

test('the role of the collector deletes by the function alone, and decides nothing', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90, 0]);
  const { role, url: roleUrl } = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [role]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const collector = openDatabase(roleUrl, 2);
  onTestFinished(() => collector.end());
  for (const statement of [
    'delete from audit.entries',
    'truncate audit.entries',
    `select audit.set_retention('acme', '1 second')`,
    `select audit.put_retention('acme', '1 second', 'me')`,
    `select audit.use_retention_days(1)`,
    `select audit.set_retention_floor('0')`,
    `select audit.hold('acme', 'mine')`,
    'select audit.release(1)',
    `update audit.retention set keep = '1 second'`,
    `insert into audit.retention (organization, keep, set_by) values ('*', '1 second', 'me')`,
    `update audit.retention_progress set keep = '1 second'`,
    'delete from audit.holds',
  ])
    await expect(collector.query(statement), statement).rejects.toThrow('permission denied');
  expect(await expire(collector)).toBe(1);
  expect(await leftOf(db)).toEqual(['age.0']);
});

test('a snapshot from before a hold is refused', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin isolation level repeatable read; select 1');
  await db.query(`select audit.hold('acme', 'Case 7')`);
  await expect(expire(session)).rejects.toThrow('at isolation level read committed only');
});

test('a hold waits for the batch under way, and none begins after it', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select audit.hold('acme', 'Case 7')`);
  const { rows } = await db.query(`select busy, deleted from audit.delete_expired('acme')`);
  expect(rows).toEqual([{ busy: true, deleted: 0 }]);
  await session.query('commit');
  expect(await expire(db)).toBe(0);
});

test.each([`hold('*', 'Case 7')`, `set_retention_floor('1000 days')`, `set_retention('*', '1000 days')`])(
  '%s waits for the batch of an organization that it cannot see yet',
  async (call) => {
    const { url, db } = await setUpDatabase();
    await db.query(`select audit.set_retention('*', '30 days')`);
    await writeAged(db, [90, 80]);
    const session = await openSession(url);
    onTestFinished(() => session.end());
    await session.query('begin');
    await session.query(`select * from audit.delete_expired('acme', 1)`);
    let isDone = false;
    const calling = db.query(`select audit.${call}`).then(() => {
      isDone = true;
    });
    await waitUntilBlocked(db);
    expect(isDone).toBe(false);
    // Nor does another batch begin before it.
    expect((await db.query(`select busy from audit.delete_expired('globex')`)).rows).toEqual([
      { busy: true },
    ]);
    await session.query('commit');
    await calling;
    expect(await expire(db)).toBe(0);
    expect(await leftOf(db)).toEqual(['age.80']);
  },
);

test('the calendar is that of UTC, whatever the session says', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [31, 29, 20]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  await makeStream(db, { settled: '3:3:', config: JSON.stringify({ deleted: true, at: daysAgo(17) }) });
  const session = await openSession(url);
  onTestFinished(() => session.end());
  for (const zone of ['AAA167BBB-167,J320/0,J364/0', 'AAA-167BBB167,J1/0,J364/0', 'Europe/Berlin']) {
    await session.query(`set timezone = '${zone}'`);
    expect(await expire(session)).toBe(0);
  }
  await db.query('delete from audit.streams');
  for (const zone of ['AAA167BBB-167,J320/0,J364/0', 'AAA-167BBB167,J1/0,J364/0']) {
    await session.query(`set timezone = '${zone}'`);
    await expire(session);
  }
  expect(await leftOf(db)).toEqual(['age.29', 'age.20']);
});

test.each([
  ['1 year', '361 days', 'age.362'],
  ['1 month', '30 days', null],
])('a floor of %s is a date: %s do not come out shorter', async (floor, period, kept) => {
  const { db } = await setUpDatabase();
  await db.query('select audit.set_retention_floor($1)', [floor]);
  await writeAged(db, [400, 362]);
  const set = db.query('select audit.set_retention($1, $2)', ['acme', period]).then(
    () => 'set',
    (error: Error) => error.message,
  );
  if (kept !== null) expect(await set).toContain("below the owner's floor");
  else await set;
  await db.query(
    `insert into audit.retention values ('acme', '361 days', now(), 'x') on conflict do nothing`,
  );
  await expire(db);
  if (kept !== null) expect(await leftOf(db)).toContain(kept);
});

test('a period that Postgres calls equal is another one', async () => {
  const { db } = await setUpDatabase();
  await db.query(`select audit.set_retention('acme', '360 days'), audit.set_retention('acme', '1 year')`);
  await writeAged(db, [363]);
  expect(await expire(db)).toBe(0);
  expect(await toldTo(db)).toHaveLength(2);
});

test('a row that is changed while a batch waits for it is judged again', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin; update audit.entries set occurred_at = now()');
  const expiring = expire(db);
  await waitUntilBlocked(db);
  await session.query('commit');
  expect(await expiring).toBe(0);
});

test('what was let go stops being so with the first who sends it, and by any change of its config', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90, 80]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const config = JSON.stringify({ deleted: true, at: daysAgo(31) });
  const stream = await makeStream(db, { settled: '3:3:', config });
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select * from audit.delete_expired('acme', 1)`);
  let isClaimed = false;
  const claiming = claimStreams(db, randomUUID(), [stream], 1).then(() => {
    isClaimed = true;
  });
  await waitUntilBlocked(db);
  expect(isClaimed).toBe(false);
  await session.query('commit');
  await claiming;
  expect(await expire(db)).toBe(0);
  expect(await leftOf(db)).toEqual(['age.80']);
});

test('a hold that ends in the middle of a pass, and a shorter period, are looked at at once', async () => {
  const { db } = await setUpDatabase();
  await writeAged(db, [90, 80, 70, 60]);
  await db.query(`select audit.set_retention('acme', '30 days'), audit.hold('acme', 'Case 7')`);
  await db.query(`select audit.delete_expired('acme', 2)`);
  await db.query('select audit.release(1)');
  expect(await expire(db)).toBe(4);
});

test('the wait for another look grows with what it waits for, up to an hour', async () => {
  const { db } = await setUpDatabase();
  const pauses: [keep: string, waited: string | null, pause: string][] = [
    ['1 year', null, '01:00:00'],
    ['1 year', '0', '00:00:05'],
    ['1 year', '4 min', '00:04:00'],
    ['1 year', '3 days', '01:00:00'],
    ['10 min', null, '00:00:03'],
    ['10 min', '0', '00:00:03'],
    ['1 min', '1 hour', '00:00:01'],
  ];
  for (const [keep, waited, pause] of pauses) {
    const { rows } = await db.query('select audit.pause_between_looks($1, $2)::text as pause', [
      keep,
      waited,
    ]);
    expect(rows, `${keep}, ${waited}`).toEqual([{ pause }]);
  }

  await writeAged(db, [20]);
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled) values ('k', 'acme', 1, '3:3:')`,
  );
  await db.query(`select audit.set_retention('acme', '10 days')`);
  const lookAgainIn = async (waited: string) => {
    await db.query(
      'update audit.retention_progress set waiting_since = clock_timestamp() - $1::interval, next_look_at = now()',
      [waited],
    );
    await expire(db);
    const { rows } = await db.query(
      `select extract(epoch from next_look_at - clock_timestamp())::float8 as seconds from audit.retention_progress`,
    );
    return rows[0].seconds;
  };
  expect(await lookAgainIn('10 min')).toBeGreaterThan(500);
  expect(await lookAgainIn('10 min')).toBeLessThan(700);
  expect(await lookAgainIn('20 min')).toBeGreaterThan(1_000);
});

test('the end of a period is told, and what went before it', async () => {
  const { db } = await setUpDatabase();
  await db.query(`select audit.set_retention('*', '30 days')`);
  await writeAged(db, [90]);
  await expire(db);
  await writeAged(db, [80, 70]);
  await expire(db);
  await db.query(`select audit.unset_retention('*')`);
  expect(await isAnyRetained(db)).toBe(true);
  await db.query(`update audit.retention_progress set told_on = told_on - 1`);
  await expire(db);
  expect(await toldTo(db)).toMatchObject([
    { type: 'audit_log.retention_changed', metadata: { to: '30 days' } },
    { type: 'audit_log.entries_expired', metadata: { count: 1 } },
    { type: 'audit_log.retention_changed', metadata: { to: 'forever' } },
    { type: 'audit_log.entries_expired', metadata: { count: 2 } },
  ]);
  expect(await isAnyRetained(db)).toBe(false);
});

test('an entry about what has expired is not told of when it expires itself', async () => {
  const { db } = await setUpDatabase();
  await db.query(`select audit.set_retention('acme', '1 day')`);
  await insertEntries(db, [{ eventType: 'audit_log.entries_expired', occurredAt: daysAgo(3) }]);
  expect(await expire(db)).toBe(1);
  expect(await toldTo(db)).toHaveLength(1);
});

test('an organization that is busy or does not exist is said to be so, and leaves nothing', async () => {
  const { url, db } = await setUpDatabase();
  await db.query(`select audit.set_retention('*', '30 days')`);
  for (const name of ['', 'x'.repeat(300), 'nobody']) expect(await expire(db, name)).toBe(0);
  expect((await db.query('select from audit.retention_progress')).rowCount).toBe(0);
  await db.query(`select audit.hold('*', 'Case 7')`);
  await writeAged(db, [90]);
  await expire(db);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query(`begin; select audit.set_retention('acme', '40 days')`);
  expect((await db.query(`select busy from audit.delete_expired('acme')`)).rows).toEqual([{ busy: true }]);
});

test('a default isolation level does not keep the collector from it', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  await db.query(
    `alter database ${new URL(url).pathname.slice(1)} set default_transaction_isolation = serializable`,
  );
  const strict = openDatabase(url, 1);
  onTestFinished(() => strict.end());
  expect(await deleteExpired(strict, 'acme', 10)).toEqual({ busy: false, deleted: 1, isWhole: true });
});

test('a stream that begins while a batch runs is not overlooked by the next', async () => {
  const { url, db } = await setUpDatabase();
  await writeAged(db, [90, 80]);
  await db.query(`select audit.set_retention('acme', '30 days')`);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select * from audit.delete_expired('acme', 1)`);
  let isMade = false;
  const making = makeStream(db, { settled: '3:3:' }).then(() => {
    isMade = true;
  });
  await waitUntilBlocked(db);
  expect(isMade).toBe(false);
  await session.query('commit');
  await making;
  expect(await expire(db)).toBe(0);
  expect(await leftOf(db)).toEqual(['age.80']);
});

test('blocks of the search follow their entries', async () => {
  const { db } = await setUpDatabase();
  await writeAged(db, [90, 80, 10]);
  await db.query(
    `insert into audit.search_blocks (organization, cluster, first_xid, first_id, last_xid, last_id, entries, text_bytes, oldest, newest)
     select organization, cluster, xid, id, xid, id, 1, 1, occurred_at, occurred_at from audit.entries`,
  );
  await db.query(`select audit.set_retention('acme', '30 days')`);
  await expire(db);
  expect((await db.query('select from audit.search_blocks')).rowCount).toBe(1);
});

test('the setting gives way to what was set by SQL, and leaves with itself', async () => {
  const { db } = await setUpDatabase();
  const use = async (days: number | null) =>
    (await db.query('select audit.use_retention_days($1) as holds', [days])).rows[0];
  const all = async () => (await db.query('select keep::text, set_by from audit.retention')).rows;
  expect(await use(30)).toEqual({ holds: true });
  expect(await use(60)).toEqual({ holds: true });
  expect(await all()).toEqual([{ keep: '60 days', set_by: 'RETENTION_DAYS' }]);
  await use(null);
  expect(await all()).toEqual([]);
  await db.query(`select audit.set_retention('*', '10 days')`);
  expect(await use(30)).toEqual({ holds: false });
  expect(await use(null)).toEqual({ holds: true });
  expect(await all()).toEqual([{ keep: '10 days', set_by: 'postgres' }]);
});

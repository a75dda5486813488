/** Whether and when each destination has received an entry, as the engine leaves it behind. */
import { expect, onTestFinished, test } from 'vitest';
import { type DeliveryState, readDeliveries } from '../../src/database/deliveries.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { ensureStreams } from '../../src/database/streams.ts';
import { listParked, readStreams, requestReplay } from '../../src/database/streamViews.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function start(options?: Parameters<typeof makeConfig>[1]) {
  const parts = await setUp(postgres);
  const { db } = parts;
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(parts.receiver.endpoint, options));
  await engine.waitForIdle();
  const state = async (id: string | undefined): Promise<DeliveryState | undefined> =>
    (await readDeliveries(db, 'acme', id ?? ''))[0]?.state;
  /** As if everything so far had happened that much earlier. */
  const age = async (seconds: number) => {
    await db.query(
      `update audit.streams set history_at = history_at - $1 * interval '1 second', moved_at = moved_at - $1 * interval '1 second',
         created_at = created_at - $1 * interval '1 second'`,
      [seconds],
    );
    await db.query(
      `update audit.stream_history set at = at - $1 * interval '1 second',
         window_pinned_at = window_pinned_at - $1 * interval '1 second'`,
      [seconds],
    );
  };
  const deliver = async (...entries: Parameters<typeof insertEntries>[1]) => {
    const { delivered = 0 } = engine.health() ?? {};
    const ids = await insertEntries(db, entries);
    await engine.waitForHealth(
      (health) => health.activity === 'idle' && health.delivered === delivered + ids.length,
    );
    return ids;
  };
  return { ...parts, engine, state, age, deliver };
}

/** The two times of a delivered entry in seconds from now, rounded. */
function times(state: DeliveryState | undefined): [number, number] {
  if (state?.kind !== 'delivered' || state.notBefore === null || state.notAfter === null)
    throw new Error(`not delivered between two times: ${JSON.stringify(state)}`);
  const seconds = (time: string) => Math.round((Date.parse(time) - Date.now()) / 1000) || 0;
  return [seconds(state.notBefore), seconds(state.notAfter)];
}

test('tells when an entry was delivered, to ten seconds and around pauses to the moment', async () => {
  const { db, receiver, state, age, deliver } = await start();
  let agedMs = 0;
  const pause = async (seconds: number) => {
    await age(seconds);
    agedMs += seconds * 1000;
  };
  const one = async () => {
    const from = Date.now() + agedMs;
    const [id] = await deliver({});
    return { id, from, to: Date.now() + agedMs };
  };
  const deliveries = [await one(), await one()];
  for (const seconds of [3600, 100, 5]) {
    await pause(seconds);
    deliveries.push(await one());
  }
  for (const [i, { id, from, to }] of deliveries.entries()) {
    const delivered = await state(id);
    if (delivered?.kind !== 'delivered') throw new Error(`${i}: ${JSON.stringify(delivered)}`);
    const notBefore = Date.parse(delivered.notBefore ?? '') + agedMs;
    const notAfter = Date.parse(delivered.notAfter ?? '') + agedMs;
    expect(notBefore, `${i}`).toBeGreaterThanOrEqual(from - 10_000);
    expect(notBefore, `${i}`).toBeLessThanOrEqual(to);
    expect(notAfter, `${i}`).toBeGreaterThanOrEqual(from - 1);
    expect(notAfter, `${i}`).toBeLessThanOrEqual(to + 10_000);
    // The one that came after a pause is known exactly, those of the same ten seconds are not told apart.
    const number = receiver.records[i]?.sequence ?? 0;
    expect(delivered.numbers?.first, `${i}`).toBeLessThanOrEqual(number);
    expect(delivered.numbers?.last, `${i}`).toBeGreaterThanOrEqual(number);
    if (i === 2) expect(delivered.numbers).toEqual({ first: 3, last: 3 });
  }
  const { rows } = await db.query(
    'select number::int, history_number::int as last from audit.stream_history join audit.streams on true order by 1',
  );
  expect(rows.map((row) => row.number)).toEqual(Array.from({ length: rows[0].last }, (_, i) => i + 1));
});

test('notes a busy stream at most every ten seconds and forgets notes after 30 days', async () => {
  const { db, state, age, deliver } = await start();
  const notes = async () => (await db.query('select from audit.stream_history')).rowCount;
  const [first] = await deliver(...numbered(20));
  for (let i = 0; i < 10; i++) await deliver({});
  expect(await notes()).toBe(1);
  await age(31 * 24 * 3600);
  await deliver({});
  await age(11);
  const [last] = await deliver({});
  expect(await notes()).toBe(2);
  await age(11);
  await deliver({});
  expect((await db.query('select min(number)::int as n from audit.stream_history')).rows).toEqual([{ n: 3 }]);
  expect(await state(first)).toEqual({ kind: 'delivered', notBefore: null, notAfter: null });
  expect(times(await state(last))[1]).toBeGreaterThanOrEqual(-12);
});

test('what waits is pending, and in a window half delivered the first half is not', async () => {
  const { db, receiver, engine, state } = await start({ maxBatchSize: 10 });
  receiver.answerWith(({ records }) => ({ status: (records[0]?.sequence ?? 0) <= 20 ? 200 : 503 }));
  const ids = await insertEntries(db, numbered(40));
  await engine.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable' && h.delivered === 20);
  expect(await state(ids[19])).toMatchObject({
    kind: 'delivered',
    notBefore: expect.any(String),
    notAfter: expect.any(String),
  });
  expect(await state(ids[20])).toEqual({ kind: 'pending' });
  const [later] = await insertEntries(db, [{}]);
  expect(await state(later)).toEqual({ kind: 'pending' });
  expect(await state('999')).toBeUndefined();
  expect(await readDeliveries(db, 'other', ids[0] ?? '')).toEqual([]);
  expect(await readDeliveries(db, 'acme', "1' or true")).toEqual([]);
});

test('a parked entry says why, and after its replay when that was', async () => {
  const { db, receiver, engine, state, age } = await start();
  receiver.answerWith(({ records }) =>
    records.some((record) => record.eventName === 'poison') ? { status: 400, body: 'no' } : ok,
  );
  const [, poison] = await insertEntries(db, [{}, { eventType: 'poison' }, {}]);
  await engine.waitForHealth((h) => h.parked === 1 && h.delivered === 2 && h.activity === 'idle');
  expect(await state(poison)).toMatchObject({
    kind: 'parked',
    sequence: 2,
    httpStatus: 400,
    replayRequested: false,
  });
  const [stream] = await readStreams(db, 'acme');
  expect(stream).toMatchObject({ configKey: 'test/acme', delivered: 2, parked: 1, rejected: 0 });
  const streamId = stream?.streamId ?? '';
  expect(await listParked(db, 'acme', streamId, 10)).toMatchObject([
    { entryId: poison, eventType: 'poison' },
  ]);
  expect(await listParked(db, 'other', streamId, 10)).toEqual([]);
  await age(3600);
  receiver.answerWith(ok);
  expect(await requestReplay(db, 'other', streamId)).toBe(0);
  expect(await requestReplay(db, 'acme', 'no uuid')).toBe(0);
  expect(await requestReplay(db, 'acme', streamId, poison)).toBe(1);
  await engine.waitForHealth((h) => h.parked === 0 && h.delivered === 3);
  // An hour ago it was parked.
  const [from, to] = times(await state(poison));
  expect([from > -30, to > -30]).toEqual([true, true]);
});

test('an entry was left out, or not, by the filter of its time', async () => {
  const { db, receiver, engine, state } = await start();
  const filterOf = (...excludeEventTypes: string[]) => ({ eventTypes: [], projects: [], excludeEventTypes });
  const settle = async (eventType: string) => {
    const [id] = await insertEntries(db, [{ eventType }]);
    const isSettled = `select pg_visible_in_snapshot(e.xid, s.settled) as done from audit.streams s, audit.entries e
      where e.id = $1 and s.window_snapshot is null`;
    await expect
      .poll(async () => (await db.query(isSettled, [id])).rows[0]?.done, { timeout: 10_000 })
      .toBe(true);
    return id;
  };
  const ids: Array<string | undefined> = [];
  for (const exclude of [[], ['flow.*'], ['user.*'], []]) {
    engine.setConfigs(makeConfig(receiver.endpoint, { filter: filterOf(...exclude) }));
    // A window that is being pinned at this moment still has the former filter; the one after this entry's has the new one.
    await settle('key.created');
    ids.push(await settle('flow.created'));
  }
  const kinds = [];
  for (const id of ids) kinds.push((await state(id))?.kind);
  expect(kinds).toEqual(['delivered', 'excluded', 'delivered', 'delivered']);
});

test('an entry of before the start was never to be delivered', async () => {
  const { db, receiver } = await setUp(postgres);
  const [old, recent] = await insertEntries(db, [{ occurredAt: '2020-01-01T00:00:00Z' }, {}]);
  const engine = await startEngine(db);
  const time = { kind: 'time', time: '2021-01-01T00:00:00Z' } as const;
  engine.setConfigs(
    makeConfig(receiver.endpoint, { key: 'test/now', startFrom: { kind: 'now' } }),
    makeConfig(receiver.endpoint, { key: 'test/time', startFrom: time }),
    makeConfig(receiver.endpoint, { key: 'test/all' }),
  );
  for (const key of ['test/now', 'test/time', 'test/all']) await engine.waitForIdle(key);
  await engine.waitForHealth((h) => h.delivered === 2, 'test/all');
  const kinds = async (id = '') =>
    Object.fromEntries((await readDeliveries(db, 'acme', id)).map((d) => [d.configKey, d.state.kind]));
  expect(await kinds(old)).toEqual({
    'test/now': 'before-start',
    'test/time': 'before-start',
    'test/all': 'delivered',
  });
  expect(await kinds(recent)).toEqual({
    'test/now': 'before-start',
    'test/time': 'delivered',
    'test/all': 'delivered',
  });
});

test('knows an entry of another cluster by what the stream settled there', async () => {
  const { db } = await setUp(postgres);
  const [done, open] = await insertEntries(db, [{}, {}]);
  await db.query(`update audit.entries set cluster = 7, xid = (900 + id)::text::xid8`);
  const [stream] = await ensureStreams(db, [
    { configKey: 'a', organization: 'acme', startFrom: { kind: 'beginning' } },
  ]);
  await db.query(`update audit.streams set other_clusters = '{"7": "902:902:"}', cluster = 8 where id = $1`, [
    stream?.id,
  ]);
  const kinds = async (id = '') => (await readDeliveries(db, 'acme', id)).map((d) => d.state.kind);
  expect([await kinds(done), await kinds(open)]).toEqual([['delivered'], ['pending']]);
});

test('does not claim to know of a stream that is older than the record', async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  await db.query('drop schema audit cascade');
  const own = await readMigrations();
  await migrate(db, own.slice(0, 1));
  const [old] = await insertEntries(db, [{}]);
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled) values ('a', 'acme', audit.cluster_id(), pg_current_snapshot())`,
  );
  await migrate(db, own);
  const [later] = await insertEntries(db, [{}]);
  const kinds = async (id = '') => (await readDeliveries(db, 'acme', id)).map((d) => d.state.kind);
  expect([await kinds(old), await kinds(later)]).toEqual([['unrecorded'], ['pending']]);
});

test('what the filter of the next window leaves out does not wait', async () => {
  const { db } = await setUp(postgres);
  const [id] = await insertEntries(db, [{ eventType: 'flow.created' }]);
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled) values ('k', 'acme', audit.cluster_id(), '1:1:')`,
  );
  const kindWith = async (...eventTypes: string[]) => {
    const filters = new Map([['k', { eventTypes, excludeEventTypes: [], projects: [] }]]);
    const [delivery] = await readDeliveries(db, 'acme', id ?? '', { current: ['k'], mostOthers: 0, filters });
    return delivery?.state.kind;
  };
  expect(await kindWith('user.*')).toBe('excluded');
  expect(await kindWith('flow.*')).toBe('pending');
  // A window that is pinned keeps the filter that it has.
  await db.query(
    `update audit.streams set window_snapshot = pg_current_snapshot(), window_pinned_at = now(),
       window_filter = '{"eventTypes": [], "excludeEventTypes": [], "projects": []}'`,
  );
  expect(await kindWith('user.*')).toBe('pending');
});

test('what the filter or the start of a window leaves out does not wait while its receiver is away', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith({ status: 503 });
  const ids = await insertEntries(db, [
    { eventType: 'flow.old', occurredAt: '2020-01-01T00:00:00Z' },
    { eventType: 'user.new' },
    { eventType: 'flow.new' },
  ]);
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: [], projects: [] };
  const filters = new Map([['test/siem', filter]]);
  const kinds = async () => {
    const choice = { current: ['test/siem'], mostOthers: 0, filters };
    return await Promise.all(
      ids.map(async (id) => (await readDeliveries(db, 'acme', id, choice))[0]?.state.kind),
    );
  };
  const time = { kind: 'time', time: '2021-01-01T00:00:00Z' } as const;
  const engine = await startEngine(db);
  const config = (suspend: boolean) =>
    makeConfig(receiver.endpoint, { key: 'test/siem', startFrom: time, filter, suspend });
  engine.setConfigs(config(true));
  await expect.poll(kinds).toEqual(['before-start', 'excluded', 'pending']);
  engine.setConfigs(config(false));
  await engine.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable', 'test/siem');
  expect(await kinds()).toEqual(['before-start', 'excluded', 'pending']);
  receiver.answerWith({ status: 200 });
  await engine.waitForHealth((h) => h.delivered === 1, 'test/siem');
});

test('a stream is held while the lease of its replica is valid, and says until when it was', async () => {
  const { db } = await setUp(postgres);
  await db.query(
    `with replica as (insert into audit.replicas (id, name, wants, expires_at)
       values (gen_random_uuid(), 'r', 'w', now() + interval '1 hour') returning id)
     insert into audit.streams (config_key, organization, cluster, settled, holder)
     select 'k', 'acme', audit.cluster_id(), '1:1:', id from replica`,
  );
  expect(await readStreams(db, 'acme')).toMatchObject([{ isHeld: true, heldUntil: null }]);
  await db.query(`update audit.replicas set expires_at = '2026-01-01T00:00:00Z'`);
  expect(await readStreams(db, 'acme')).toMatchObject([
    { isHeld: false, heldUntil: '2026-01-01T00:00:00.000Z' },
  ]);
});

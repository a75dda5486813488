/** A config that replaces another of its name says what that has left, and goes on where it stopped if it is told to. */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { ensureStreams } from '../../src/database/streams.ts';
import { WantedStreams } from '../../src/delivery/wantedStreams.ts';
import { type ExportConfig, nameDestination } from '../../src/model/exportConfig.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { type ConfigOptions, type Engine, makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, type Receiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const poison = { eventType: 'poison' };
const left = (words: string) =>
  `A former config of this namespace, name and organization left ${words}: set the annotation auditexport.dev/take-over to "true" to deliver them, or to "false" if nobody wants them.`;

/** Keys differ as uids do; the name is the same. */
const make = (receiver: Receiver, uid: string, options: ConfigOptions = {}): ExportConfig =>
  makeConfig(receiver.endpoint, { key: `${uid}/siem`, startFrom: { kind: 'now' }, ...options });

/** Delivers three, parks one, then stops with two undelivered of which a filter leaves one out. */
async function leaveBacklog(db: Database, receiver: Receiver, engine: Engine): Promise<void> {
  receiver.answerWith(({ records }) =>
    records.some(({ eventName }) => eventName === 'poison') ? { status: 400 } : ok,
  );
  const filter = { eventTypes: [], excludeEventTypes: ['flow.ignored'], projects: [] };
  engine.setConfigs(make(receiver, 'first', { filter, startFrom: { kind: 'beginning' } }));
  await insertEntries(db, [{}, {}, poison, {}]);
  await engine.waitForHealth(({ parked, delivered }) => parked === 1 && delivered === 3, 'first/siem');
  await engine.waitForIdle('first/siem');
  receiver.answerWith({ status: 503 });
  await insertEntries(db, [{}, { eventType: 'flow.ignored' }]);
  await engine.waitForHealth(({ activity }) => activity === 'retrying', 'first/siem');
}

const remarksOf = (engine: Engine, uid: string) =>
  engine.supervisor.remarksOf(`${uid}/siem`).map(({ message }) => message);

test('says what a former config has left, and delivers it once the annotation asks for that', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  await leaveBacklog(db, receiver, engine);
  engine.setConfigs(make(receiver, 'second'));
  await waitFor(() => remarksOf(engine, 'second').length > 0);
  expect(remarksOf(engine, 'second')).toEqual([left('1 entry undelivered and 1 parked')]);
  expect(engine.log.filter((line) => line.includes('left 1 entry undelivered'))).toHaveLength(1);
  receiver.answerWith(ok);
  await insertEntries(db, [{}]);
  await engine.waitForHealth(({ delivered }) => delivered === 1, 'second/siem');

  engine.setConfigs(make(receiver, 'second', { takesOver: false }));
  expect(remarksOf(engine, 'second')).toEqual([]);

  engine.setConfigs(make(receiver, 'second', { takesOver: true }));
  await engine.waitForHealth(({ delivered, parked }) => delivered === 5 && parked === 1, 'second/siem');
  await engine.waitForIdle('second/siem');
  expect(remarksOf(engine, 'second')).toEqual([]);
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth(({ parked }) => parked === 0, 'second/siem');
  const ignored = await db.query(`select uid::text from audit.entries where event_type = 'flow.ignored'`);
  const wanted = (await uidsOf(db)).filter((uid) => uid !== ignored.rows[0]?.uid);
  const [stream] = (await db.query('select id from audit.streams')).rows;
  expect(receiver.ledger.storedUids(stream.id).sort()).toEqual(wanted);
  expect(engine.log.join('')).not.toContain('The record of what this export had delivered is gone');
  const streams = await db.query(`select config_key, taken_over_from from audit.streams`);
  expect(streams.rows).toEqual([{ config_key: 'second/siem', taken_over_from: 'first/siem' }]);
});

test('goes on by itself when the annotation is there from the start, with the numbers of before, on one of several replicas', async () => {
  const { db, receiver } = await setUp(postgres);
  const replicas = [];
  for (const replicaName of ['a', 'b', 'c']) replicas.push(await startEngine(db, { replicaName }));
  const [first] = replicas;
  if (!first) throw new Error('no replica');
  await leaveBacklog(db, receiver, first);
  await insertEntries(db, numbered(50));
  receiver.answerWith(ok);
  for (const replica of replicas) replica.setConfigs(make(receiver, 'second', { takesOver: true }));
  await receiver.waitFor((r) => r.ledger.storedCount === 54);
  await waitFor(
    async () => (await db.query('select delivered::int from audit.streams')).rows[0]?.delivered === 54,
  );
  // The parked one and nothing else is missing: these are the numbers of one stream.
  expect(receiver.ledger.missingSequences()).toEqual([3]);
  expect(receiver.ledger.differences).toEqual([]);
  const streams = await db.query(`select config_key, taken_over_from from audit.streams`);
  expect(streams.rows).toEqual([{ config_key: 'second/siem', taken_over_from: 'first/siem' }]);

  // And the next one after that, though the annotation stands in its manifest from the start.
  for (const replica of replicas) replica.setConfigs(make(receiver, 'third', { takesOver: true }));
  await insertEntries(db, [{}]);
  await receiver.waitFor((r) => r.ledger.storedCount === 55);
  expect(receiver.ledger.missingSequences()).toEqual([3]);
});

test('a former stream that a live collector still sends is left alone, and so are those of others', async () => {
  const { db, receiver } = await setUp(postgres);
  const elsewhere = await startEngine(db, { replicaName: 'elsewhere' });
  await leaveBacklog(db, receiver, elsewhere);
  const engine = await startEngine(db, { replicaName: 'here' });
  engine.setConfigs(
    make(receiver, 'second', { takesOver: true }),
    makeConfig(receiver.endpoint, { key: 'other/name', takesOver: true, startFrom: { kind: 'now' } }),
    make(receiver, 'third', { takesOver: true, organization: 'globex' }),
  );
  await engine.waitForIdle('other/name');
  await engine.waitForIdle('third/siem');
  const keys = async () =>
    (await db.query(`select config_key from audit.streams order by config_key`)).rows.map(
      (row) => row.config_key,
    );
  expect(await keys()).toEqual(['first/siem', 'other/name', 'third/siem']);
  expect(engine.health('second/siem')).toBeNull();
  receiver.answerWith(ok);
  await elsewhere.stop();
  await engine.waitForHealth(({ delivered }) => delivered === 4, 'second/siem');
  expect(await keys()).toEqual(['other/name', 'second/siem', 'third/siem']);
});

test('a former stream that is still sent is waited for, for a minute and no longer, and taken when it is free', async () => {
  const { db, receiver } = await setUp(postgres);
  const first = make(receiver, 'first');
  const { organization, startFrom } = first.spec;
  await ensureStreams(db, [
    { configKey: first.key, organization, destination: nameDestination(first), startFrom },
  ]);
  // Of a replica that lives, and lets go of nothing.
  await db.query(
    `with replica as (insert into audit.replicas (id, name, wants, expires_at)
       values (gen_random_uuid(), 'elsewhere', 'w', now() + interval '1 hour') returning id)
     update audit.streams set holder = replica.id from replica`,
  );
  const second = make(receiver, 'second', { takesOver: true });
  const wanted = new WantedStreams(makeLogger({ level: 'silent' }));
  wanted.setConfigs(new Map([[second.key, second]]), [], []);
  const keys = async () => {
    await wanted.makeMissing(db);
    return (await db.query(`select config_key as key from audit.streams order by created_at`)).rows.map(
      ({ key }) => key,
    );
  };
  let elapsedMs = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => elapsedMs);
  onTestFinished(() => clock.mockRestore());
  expect(await keys()).toEqual(['first/siem']);
  elapsedMs += 59_999;
  expect(await keys()).toEqual(['first/siem']);
  expect(wanted.streamIdOf('second/siem')).toBeNull();
  elapsedMs += 1;
  expect(await keys()).toEqual(['first/siem', 'second/siem']);
  const own = wanted.streamIdOf('second/siem');
  expect(own).not.toBeNull();
  expect(await keys()).toEqual(['first/siem', 'second/siem']);

  await db.query(`update audit.replicas set expires_at = now()`);
  expect(await keys()).toEqual(['second/siem']);
  expect(wanted.streamIdOf('second/siem')).not.toBe(own);
});

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** Leaves one entry of 30 days ago, one of 10 days ago and one of now. */
async function leaveOld(
  db: Database,
  receiver: Receiver,
  engine: Engine,
  options: ConfigOptions,
): Promise<void> {
  receiver.answerWith({ status: 503 });
  await insertEntries(db, [{ occurredAt: daysAgo(30) }, { occurredAt: daysAgo(10) }]);
  engine.setConfigs(make(receiver, 'first', options));
  await engine.waitForHealth(({ activity }) => activity !== 'starting', 'first/siem');
  await insertEntries(db, [{}]);
  await engine.waitForHealth(({ activity }) => activity === 'retrying', 'first/siem');
}

test.each([
  ['now', 'the beginning', { kind: 'now' }, { kind: 'beginning' }, 3],
  [
    'from a time',
    'an earlier time',
    { kind: 'time', time: daysAgo(5) },
    { kind: 'time', time: daysAgo(20) },
    2,
  ],
] as const)(
  'a former stream that began %s does not replace one that began from %s, which delivers all it has left',
  async (_former, _own, formerStart, startFrom, count) => {
    const { db, receiver } = await setUp(postgres);
    const engine = await startEngine(db);
    await leaveOld(db, receiver, engine, { startFrom: formerStart });
    engine.setConfigs(make(receiver, 'second', { startFrom }));
    await engine.waitForHealth(({ activity }) => activity === 'retrying', 'second/siem');
    engine.setConfigs(make(receiver, 'second', { startFrom, takesOver: true }));
    const tries = receiver.requestCount;
    await receiver.waitFor(({ requestCount }) => requestCount > tries + 10);
    receiver.answerWith(ok);
    await engine.waitForHealth(({ delivered }) => delivered === count, 'second/siem');
    await engine.waitForIdle('second/siem');
    expect(remarksOf(engine, 'second')).toEqual([]);
  },
);

test('says what a former config has left from before the time that this one starts from', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  await leaveOld(db, receiver, engine, { startFrom: { kind: 'beginning' } });
  engine.setConfigs(make(receiver, 'second', { startFrom: { kind: 'time', time: daysAgo(5) } }));
  await waitFor(() => remarksOf(engine, 'second').length > 0);
  expect(remarksOf(engine, 'second')).toEqual([left('2 entries undelivered')]);
});

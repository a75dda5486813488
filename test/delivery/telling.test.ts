/** An organization is told in its own log when a destination fails, recovers or parks an entry: each once. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { ensureStreams } from '../../src/database/streams.ts';
import { runTeller } from '../../src/delivery/teller.ts';
import { WantedStreams } from '../../src/delivery/wantedStreams.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Answering, ok, startReceiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const hour = 3_600_000;

interface Told {
  readonly type: string;
  readonly metadata: Record<string, unknown>;
}

async function readTold(db: Database): Promise<Told[]> {
  const result = await db.query<Told>(
    `select event_type as type, metadata from audit.entries where event_type like 'audit\\_export.%' order by id`,
  );
  return result.rows;
}

const waitForTold = (db: Database, count: number) =>
  waitFor(async () => {
    const told = await readTold(db);
    return told.length >= count ? told : undefined;
  });

const readOutage = async (db: Database) =>
  (
    await db.query<{ outage: { since: string | null; told: number } | null }>(
      'select outage from audit.streams',
    )
  ).rows[0]?.outage ?? null;

const waitForOutage = (db: Database, isThere: boolean) =>
  waitFor(async () => ((await readOutage(db)) !== null) === isThere || undefined);

/** A clock that a test can set forward. */
function makeClock() {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    forward: (ms: number) => {
      ahead += ms;
    },
  };
}

test('a failure is told at each level, over restarts and whatever its reason; then that it is over', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  receiver.answerWith({ status: 503 });
  await insertEntries(db, [{}]);
  // What a filter leaves out is not this.
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: ['audit_export.*'], projects: [] };
  const config = makeConfig(receiver.endpoint, { filter });
  const first = await startEngine(db, { now, tellIntervalMs: 20 });
  first.setConfigs(config);
  await first.waitForHealth(({ activity }) => activity === 'retrying');
  await waitForOutage(db, true);
  const since = (await readOutage(db))?.since;
  forward(hour - 60_000);
  receiver.answerWith({ status: 401 });
  await first.waitForHealth(({ activity }) => activity === 'holding');
  expect(new Date(first.health()?.failure?.since ?? 0).toISOString()).toBe(since);
  expect(await readTold(db)).toEqual([]);
  await first.stop();

  const second = await startEngine(db, { now, tellIntervalMs: 20 });
  second.setConfigs(config);
  await second.waitForHealth(({ activity, pending }) => activity === 'holding' && pending === 1);
  forward(60_000);
  const [failing] = await waitForTold(db, 1);
  expect(failing).toEqual({
    type: 'audit_export.failing',
    metadata: {
      destination: 'test.acme',
      since,
      duration: '1 hour',
      reason: 'Unauthorized',
      httpStatus: 401,
      message: expect.stringContaining('401'),
      pending: 1,
    },
  });
  forward(23 * hour);
  expect((await waitForTold(db, 2))[1]?.metadata).toMatchObject({ duration: '24 hours', since });

  receiver.answerWith(ok);
  const told = await waitForTold(db, 3);
  expect(told.map(({ type }) => type)).toEqual([
    'audit_export.failing',
    'audit_export.failing',
    'audit_export.recovered',
  ]);
  expect(told[2]?.metadata).toEqual({ destination: 'test.acme', since, duration: '24 hours' });
  await waitForOutage(db, false);
  // They pass every filter: this receiver learns what happened to it, and others of the organization too.
  await receiver.waitFor((r) => r.ledger.storedCount === 4);
  await second.waitForIdle();
  expect(receiver.records.map(({ eventName }) => eventName)).toContain('audit_export.recovered');
});

test('one entry that gets through ends a failure, and the next one starts a new clock', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  let isOpen = false;
  const openOnce: Answering = () => {
    if (!isOpen) return { status: 503 };
    isOpen = false;
    return ok;
  };
  receiver.answerWith(openOnce);
  await insertEntries(db, [{}, {}, {}]);
  const engine = await startEngine(db, { now, tellIntervalMs: 20 });
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 1 }));
  await engine.waitForHealth(({ activity }) => activity === 'retrying');
  await waitForOutage(db, true);
  const since = (await readOutage(db))?.since ?? '';
  forward(hour - 60_000);
  isOpen = true;
  await waitFor(async () => ((await readOutage(db))?.since ?? since) > since || undefined);
  forward(hour - 60_000);
  expect(await readTold(db)).toEqual([]);
  forward(60_000);
  expect((await waitForTold(db, 1))[0]?.metadata).toMatchObject({ duration: '1 hour' });
});

test('a suspended stream does not fail, and a destination that has nothing to deliver does not either', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  await receiver.refuse();
  const engine = await startEngine(db, { now, tellIntervalMs: 20 });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  forward(100 * hour);
  await insertEntries(db, [{}]);
  await engine.waitForHealth(({ activity }) => activity === 'retrying');
  await waitForOutage(db, true);
  engine.setConfigs(makeConfig(receiver.endpoint, { suspend: true }));
  await waitForOutage(db, false);
  forward(100 * hour);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await waitForOutage(db, true);
  expect(Date.parse((await readOutage(db))?.since ?? '')).toBeGreaterThan(now() - hour);
  expect(await readTold(db)).toEqual([]);
});

test('the first parked entry of a day is told, and one about a parked entry that is parked itself tells none', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith((request) =>
    request.records.some(({ eventName }) => eventName !== 'flow.created')
      ? { status: 400, body: 'not wanted', headers: { 'content-type': 'text/plain' } }
      : ok,
  );
  await insertEntries(db, [{}, { eventType: 'poison' }, { eventType: 'poison' }, {}]);
  const engine = await startEngine(db, { tellIntervalMs: 20 });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth(({ parked }) => parked === 3);
  await insertEntries(db, [{ eventType: 'poison' }]);
  await engine.waitForHealth(({ parked }) => parked === 4);
  await engine.waitForIdle();
  expect(await readTold(db)).toEqual([
    {
      type: 'audit_export.parked',
      metadata: {
        destination: 'test.acme',
        entryId: 2,
        sequence: 2,
        reason: 'EntryRefused',
        message: expect.stringContaining('not wanted'),
      },
    },
  ]);
  await db.query(`update audit.streams set parked_told_on = parked_told_on - 1`);
  await db.query(`update audit.parked set parked_at = parked_at - interval '1 day'`);
  await insertEntries(db, [{ eventType: 'poison' }]);
  const told = await waitForTold(db, 2);
  expect(told[1]?.metadata).toMatchObject({ entryId: 7 });
});

test('an entry that was parked before midnight is told after it, and so is the first one of the new day', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(({ records }) =>
    records.some(({ eventName }) => eventName === 'poison') ? { status: 400 } : ok,
  );
  await insertEntries(db, [{}, { eventType: 'poison' }, { eventType: 'poison' }, { eventType: 'poison' }]);
  const config = makeConfig(receiver.endpoint);
  const first = await startEngine(db);
  first.setConfigs(config);
  await first.waitForHealth(({ parked }) => parked === 3);
  await first.waitForIdle();
  await first.stop();
  await db.query(`update audit.parked set parked_at = (now() at time zone 'UTC')::date::timestamp at time zone 'UTC' - interval '1 ms'
    where sequence < 4`);
  const second = await startEngine(db, { tellIntervalMs: 20 });
  second.setConfigs(config);
  const told = await waitForTold(db, 2);
  await second.waitForHealth(({ delivered }) => delivered === 3);
  expect(await readTold(db)).toEqual(told);
  expect(told.map(({ metadata }) => metadata['entryId'])).toEqual([2, 4]);
});

test('a failure does not begin with what was rejected before it, nor later than now', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  const config = makeConfig(receiver.endpoint);
  receiver.answerWith({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"partialSuccess": {"rejectedLogRecords": 1}}',
  });
  await insertEntries(db, [{}, {}]);
  const first = await startEngine(db, { now, tellIntervalMs: 20 });
  first.setConfigs(config);
  await first.waitForHealth(({ rejected }) => rejected === 1);
  await first.waitForIdle();
  await first.stop();
  // Two days later the receiver is away, and the first thing that this process sees.
  receiver.answerWith({ status: 503 });
  await insertEntries(db, [{}]);
  forward(48 * hour);
  const second = await startEngine(db, { now, tellIntervalMs: 20 });
  second.setConfigs(config);
  await waitForOutage(db, true);
  expect(Date.parse((await readOutage(db))?.since ?? '')).toBeGreaterThan(now() - hour);
  // The clock was two days ahead.
  forward(-48 * hour);
  await waitFor(async () => Date.parse((await readOutage(db))?.since ?? '') <= now() || undefined);
  expect(await readTold(db)).toEqual([]);
  forward(hour);
  expect((await waitForTold(db, 1))[0]?.metadata).toMatchObject({ duration: '1 hour' });
});

test('a recovery that its process had no time to tell is told by the next one, once', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  const config = makeConfig(receiver.endpoint);
  receiver.answerWith({ status: 503 });
  await insertEntries(db, [{}]);
  const first = await startEngine(db, { now, tellIntervalMs: 20 });
  first.setConfigs(config);
  await waitForOutage(db, true);
  forward(hour);
  await waitForTold(db, 1);
  await first.stop();
  receiver.answerWith(ok);
  const silent = await startEngine(db, { now });
  silent.setConfigs(config);
  await silent.waitForHealth(({ delivered }) => delivered === 2);
  await silent.stop();
  const last = await startEngine(db, { now, tellIntervalMs: 20 });
  last.setConfigs(config);
  await last.waitForHealth(({ delivered }) => delivered === 3);
  await last.waitForIdle();
  expect((await readTold(db)).map(({ type }) => type)).toEqual([
    'audit_export.failing',
    'audit_export.recovered',
  ]);
  await waitForOutage(db, false);
});

test('several replicas tell once of a config of which nothing is in force', async () => {
  const { db } = await setUp(postgres);
  const { now, forward } = makeClock();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const key = randomUUID();
  await ensureStreams(db, [{ configKey: key, organization: 'acme', startFrom: { kind: 'now' } }]);
  const problem = 'Secret flows/siem is missing: create it.';
  const about = { key, namespace: 'flows', name: 'siem', reason: 'SecretNotFound', message: problem };
  const stop = new AbortController();
  const log = makeLogger({ level: 'silent' });
  let stopped = [{ ...about, isSuspended: false }];
  const running = Array.from({ length: 4 }, () =>
    runTeller({ db, log, now, running: () => [], stopped: () => stopped, intervalMs: 1 }, stop.signal),
  );
  onTestFinished(async () => {
    stop.abort();
    await Promise.all(running);
  });
  await waitForOutage(db, true);
  forward(hour);
  const [told] = await waitForTold(db, 1);
  expect(told).toMatchObject({
    type: 'audit_export.failing',
    metadata: { destination: 'flows.siem', reason: 'SecretNotFound', message: problem, duration: '1 hour' },
  });
  forward(23 * hour);
  expect(await waitForTold(db, 2)).toHaveLength(2);
  stopped = [{ ...about, isSuspended: true }];
  await waitFor(async () => (await readOutage(db))?.since === null || undefined);
  expect(await readTold(db)).toHaveLength(2);
});

test('an export that no replica sends is told too, and that it is over once one does', async () => {
  const { db, receiver } = await setUp(postgres);
  const { now, forward } = makeClock();
  const config = makeConfig(receiver.endpoint);
  await insertEntries(db, [{}]);
  // A replica that never comes to take the stream, and sees that nobody else does.
  const wanted = new WantedStreams(makeLogger({ level: 'silent' }));
  wanted.setConfigs(new Map([[config.key, config]]), [], []);
  await wanted.makeMissing(db);
  await wanted.lookIntoUnclaimed(db, [wanted.streamIdOf(config.key) ?? '']);
  const stop = new AbortController();
  const log = makeLogger({ level: 'silent' });
  const stopped = vi.fn(() => wanted.stopped());
  const running = runTeller({ db, log, now, running: () => [], stopped, intervalMs: 1 }, stop.signal);
  const end = () => {
    stop.abort();
    return running;
  };
  onTestFinished(end);
  // A rolling update takes as long.
  await waitFor(() => stopped.mock.calls.length > 2);
  expect(await readOutage(db)).toBeNull();

  const { now: elapsed } = performance;
  const later = vi.spyOn(performance, 'now').mockImplementation(() => elapsed.call(performance) + 16_000);
  onTestFinished(() => later.mockRestore());
  await waitForOutage(db, true);
  forward(hour);
  const [failing] = await waitForTold(db, 1);
  expect(failing).toEqual({
    type: 'audit_export.failing',
    metadata: {
      ...{ destination: 'test.acme', since: expect.any(String), duration: '1 hour', reason: 'Unclaimed' },
      message: expect.stringContaining('No replica of the collector sends this export'),
    },
  });
  await end();
  later.mockRestore();

  const engine = await startEngine(db, { now, tellIntervalMs: 20 });
  engine.setConfigs(config);
  const [, recovered] = await waitForTold(db, 2);
  expect(recovered).toEqual({
    type: 'audit_export.recovered',
    metadata: { destination: 'test.acme', since: failing?.metadata['since'], duration: '1 hour' },
  });
  // All three reach the receiver, once: the entry, and what was told.
  await receiver.waitFor((r) => r.ledger.storedCount === 3);
  await engine.waitForIdle();
  expect(await readTold(db)).toHaveLength(2);
});

/** Several replicas: streams shared evenly, handed over at once or in time, and never moved by the wrong one. */
import { expect, test } from 'vitest';
import { claimStreams, renewLease } from '../../src/database/leases.ts';
import { ensureStreams, loadStream } from '../../src/database/streams.ts';
import { finishWindow, pinWindow, settle } from '../../src/database/window.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { type Engine, makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const held = (engine: Engine): number => keys.filter((key) => engine.health(key) !== null).length;
const keys = Array.from({ length: 9 }, (_, i) => `test/s${i}`);

test('replicas share the streams evenly, and a clean stop hands them over at once', async () => {
  const { db, receiver } = await setUp(postgres);
  const configs = keys.map((key) => makeConfig(receiver.endpoint, { key }));
  const one = await startEngine(db, { replicaName: 'one', leaseDurationMs: 60_000 });
  one.setConfigs(...configs);
  await waitFor(() => held(one) === 9);
  const two = await startEngine(db, { replicaName: 'two', leaseDurationMs: 60_000 });
  two.setConfigs(...configs);
  // The first one learns of the second with its next renewal; a changed config makes it renew now.
  await waitFor(() => {
    one.setConfigs(...configs);
    return held(one) === 5 && held(two) === 4;
  });
  await one.stop();
  // Its deadline is far less than the lease of a minute: nothing had to expire.
  await waitFor(() => held(two) === 9);
  await insertEntries(db, numbered(3));
  await receiver.waitFor((r) => r.ledger.storedCount === 27);
});

test('replicas with other configs do not count: each runs all of its own', async () => {
  const { db, receiver } = await setUp(postgres);
  const one = await startEngine(db, { replicaName: 'one' });
  one.setConfigs(...keys.slice(0, 4).map((key) => makeConfig(receiver.endpoint, { key })));
  const two = await startEngine(db, { replicaName: 'two' });
  two.setConfigs(...keys.slice(4).map((key) => makeConfig(receiver.endpoint, { key })));
  await waitFor(() => held(one) === 4 && held(two) === 5);
});

test('a replica that was killed loses its streams to another within the lease', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const settings = { LEASE_DURATION_MS: '1000' };
  const [one, two] = await Promise.all([
    makeCollectorProcess(url, { ...settings, REPLICA_NAME: 'one' }),
    makeCollectorProcess(url, { ...settings, REPLICA_NAME: 'two' }),
  ]);
  const spec = { organization: 'acme', endpoint: receiver.endpoint, startFrom: 'Beginning' };
  for (const collector of [one, two]) await collector.writeConfig('acme', spec);
  one.start();
  await insertEntries(db, numbered(10));
  await receiver.waitFor((r) => r.ledger.storedCount === 10);
  two.start();
  await waitFor(async () => (await db.query('select from audit.replicas')).rowCount === 2);
  await one.kill('SIGKILL');
  await insertEntries(db, numbered(10));
  await receiver.waitFor((r) => r.ledger.storedCount === 20);
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
});

test('a replica that was paused past its lease moves nothing when it comes back', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const settings = { LEASE_DURATION_MS: '1000' };
  const one = await makeCollectorProcess(url, { ...settings, REPLICA_NAME: 'one' });
  const two = await makeCollectorProcess(url, { ...settings, REPLICA_NAME: 'two' });
  const spec = {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    maxBatchSize: 10,
  };
  for (const collector of [one, two]) await collector.writeConfig('acme', spec);
  // The first batches hang until the pause is over, so that the paused one wakes up in the middle of a delivery.
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  receiver.answerWith(async () => {
    await released;
    return { status: 200 };
  });
  await insertEntries(db, numbered(200));
  one.start();
  await receiver.waitFor((r) => r.requestCount >= 1);
  process.kill(one.pid, 'SIGSTOP');
  two.start();
  const requests = receiver.requestCount;
  await receiver.waitFor((r) => r.requestCount > requests);
  release();
  process.kill(one.pid, 'SIGCONT');
  await insertEntries(db, numbered(200));
  await receiver.waitFor((r) => r.ledger.storedCount === 400);
  await waitFor(async () => {
    const row = (await db.query('select delivered::int, sequence::int from audit.streams')).rows[0];
    return row.delivered === 400 && row.sequence === 400;
  });
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('who lost the lease can pin, settle and finish nothing', async () => {
  const { db } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  const [stream] = await ensureStreams(db, [
    { configKey: 'k', organization: 'acme', startFrom: { kind: 'beginning' } },
  ]);
  const id = stream?.id ?? '';
  const a = { id: '00000000-0000-4000-8000-00000000000a', name: 'a' };
  const b = { id: '00000000-0000-4000-8000-00000000000b', name: 'b' };
  await renewLease(db, a, 'w', 60_000);
  const [claimed] = await claimStreams(db, a.id, [id], 1);
  if (!claimed) throw new Error('not claimed');
  expect(await claimStreams(db, b.id, [id], 1)).toEqual([]);
  const filter = { eventTypes: [], excludeEventTypes: [], projects: [] };
  const pinned = await pinWindow(db, claimed, filter);
  if (pinned.kind !== 'pinned' || !pinned.stream.window) throw new Error(pinned.kind);
  const { window } = pinned.stream;

  await renewLease(db, a, 'w', 0);
  const [taken] = await claimStreams(db, b.id, [id], 1);
  if (!taken) throw new Error('not taken');
  expect(taken.window).toEqual(window);
  expect(BigInt(taken.token)).toBeGreaterThan(BigInt(claimed.token));

  const run = {
    window,
    from: null,
    to: { xid: 5n, id: 1n },
    sequence: 1,
    delivered: 1,
    rejected: 0,
    parked: null,
    lastRecord: null,
    finishes: false,
  };
  const refusal = { reason: 'EntryRefused' as const, httpStatus: 400, message: 'm' };
  const parked = { entryId: '1', refusal };
  expect(await settle(db, claimed, { ...run, parked })).toBeNull();
  expect((await db.query('select from audit.parked')).rowCount).toBe(0);
  expect(await finishWindow(db, claimed, window, null)).toBeNull();
  expect(await pinWindow(db, claimed, filter)).toEqual({ kind: 'lease-lost' });

  expect(await settle(db, taken, run)).toMatchObject({ lastDeliveryAt: expect.any(String) });
  // From a position that is no longer the stream's.
  expect(await settle(db, taken, run)).toBeNull();
  expect(await finishWindow(db, taken, window, null)).toBeNull();
  expect(await finishWindow(db, taken, window, { xid: 5n, id: 1n })).toMatchObject({
    window: null,
    sequence: 1,
  });

  // The run that ends a window moves both in one statement.
  await insertEntries(db, numbered(1));
  const again = await pinWindow(db, taken, filter);
  if (again.kind !== 'pinned' || !again.stream.window) throw new Error(again.kind);
  const last = { ...run, window: again.stream.window, to: { xid: 9n, id: 9n }, sequence: 2, finishes: true };
  expect(await settle(db, taken, last)).not.toBeNull();
  expect(await loadStream(db, id, taken.token)).toMatchObject({
    window: null,
    position: null,
    settled: again.stream.window.snapshot,
    sequence: 2,
  });
});

test('a stopped process of the same name leaves its streams to the next at once', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const collector = await makeCollectorProcess(url, { LEASE_DURATION_MS: '60000' });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  await insertEntries(db, numbered(1));
  await receiver.waitFor((r) => r.ledger.storedCount === 1);
  await collector.kill('SIGKILL');
  await insertEntries(db, numbered(1));
  collector.start();
  await receiver.waitFor((r) => r.ledger.storedCount === 2);
});

test('a config that changes while its stream is being claimed runs as it is now', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(2));
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let isClaiming = false;
  const slowClaim = new Proxy(db, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property !== 'query') return value.bind(target);
      return async (text: unknown, ...rest: unknown[]) => {
        const result: unknown = await value.call(target, text, ...rest);
        if (!isClaiming && String(text).includes('with free as')) {
          isClaiming = true;
          await opened;
        }
        return result;
      };
    },
  });
  const engine = await startEngine(slowClaim);
  engine.setConfigs(makeConfig('http://127.0.0.1:1/v1/logs'));
  await waitFor(() => isClaiming);
  engine.setConfigs(makeConfig(receiver.endpoint));
  open();
  await receiver.waitFor((r) => r.ledger.storedCount === 2);
});

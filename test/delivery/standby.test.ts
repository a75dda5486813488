/** A database of two servers: reads that a standby answers, and a failover under a collector that lives on. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { Commits } from '../tools/chaos/commits.ts';
import { startMoodyReceiver } from '../tools/chaos/moodyReceiver.ts';
import { type WatchedExport, watchTruth } from '../tools/chaos/truthWatcher.ts';
import { startWriters } from '../tools/chaos/writers.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { poolerPackages, startPgpool } from '../tools/poolers.ts';
import { startReceiver } from '../tools/receiver.ts';
import { type PostgresPair, startPair } from '../tools/standby.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';

let pair: PostgresPair;
beforeEach(async () => {
  pair = await startPair({ prepare: migrateDatabase });
});
afterEach(() => pair?.remove());

describe.skipIf(arePackagesMissing('reads that a standby answers', poolerPackages))(
  'behind pgpool-II',
  () => {
    test('a standby that lags and answers reads makes no entry be skipped, and no status say that all is delivered', {
      timeout: 120_000,
    }, async () => {
      const pgpool = await startPgpool({ password: pair.password, serverPorts: pair.ports });
      onTestFinished(() => pgpool.stop());
      const entrance = await startTcpProxy(pgpool.port);
      await pair.setLag(1_500);
      const organizations = ['ada', 'bob', 'cy'];
      const collector = await makeCollectorProcess(
        `postgres://postgres:${pair.password}@127.0.0.1:${entrance.port}/postgres`,
        { LOG_LEVEL: 'warn' },
      );
      const exports: WatchedExport[] = [];
      for (const organization of organizations) {
        const { receiver, log } = await startMoodyReceiver({ moods: ['good'], failovers: [], seed: 1 });
        onTestFinished(() => receiver.stop());
        await collector.writeConfig(organization, {
          organization,
          endpoint: receiver.endpoint,
          startFrom: 'Beginning',
        });
        exports.push({
          name: organization,
          organization,
          log,
          upSince: () => 0,
          readStatus: () => collector.readStatus(organization),
        });
      }
      collector.start();
      const commits = new Commits();
      const watcher = watchTruth({
        exports,
        commits,
        graceMs: 5_000,
        describe: () => 'a standby 1.5 s behind',
      });
      const writers = startWriters({ url: () => pair.primaryUrl, organizations, count: 3, commits });
      await waitFor(() => commits.count > 300, { timeoutMs: 60_000 });
      await writers.stop();
      await pair.setLag(0);
      await pair.catchUp();

      const db = openDatabase(pair.primaryUrl, 1);
      const uids = new Map<string, string[]>();
      for (const organization of organizations) uids.set(organization, await uidsOf(db, organization));
      await db.end();
      const missing = (): string[] =>
        exports.flatMap(({ organization, log }) => {
          const count = uids.get(organization)?.filter((uid) => !log.has(uid)).length ?? 0;
          return count === 0 ? [] : [`${organization}: ${count} of ${uids.get(organization)?.length}`];
        });
      await waitFor(() => missing().length === 0, { timeoutMs: 30_000 }).catch(() => {});
      await watcher.stop();
      expect({ missing: missing(), lies: watcher.lies() }).toEqual({ missing: [], lies: [] });
      expect(exports.flatMap(({ log }) => [...log.faults, ...log.gaps()])).toEqual([]);
    });
  },
);

test('what a receiver took before its turn, and a failover lost, hides no later entry of the same number', {
  timeout: 60_000,
}, async () => {
  const proxy = await startTcpProxy(pair.ports[0]);
  const db = openDatabase(`postgres://postgres:${pair.password}@127.0.0.1:${proxy.port}/postgres`);
  onTestFinished(() => db.end());
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
  await insertEntries(db, numbered(10));
  await engine.waitForHealth((health) => health.delivered === 10 && health.activity === 'idle');
  await pair.catchUp();

  await pair.cutReplication();
  // 11 to 20 are refused for the moment, 21 to 40 overtake them.
  receiver.answerWith(({ records }) => ({ status: (records[0]?.sequence ?? 0) === 11 ? 503 : 200 }));
  await insertEntries(db, numbered(30, { eventType: 'lost' }));
  await receiver.waitFor((r) => r.ledger.storedCount === 30);
  await pair.failOver();
  proxy.retarget(pair.ports[1]);
  receiver.answerWith({ status: 200 });
  const after = openDatabase(pair.primaryUrl, 1);
  await insertEntries(after, numbered(40, { eventType: 'after' }));

  const uids = await uidsOf(after);
  await after.end();
  expect(uids).toHaveLength(50);
  const missing = (): number => uids.filter((uid) => !receiver.ledger.kept().has(uid)).length;
  await waitFor(() => missing() === 0, {
    timeoutMs: 20_000,
    describe: () => `${missing()} of 50 entries are missing; ${JSON.stringify(engine.health())}`,
  });
  const health = await engine.waitForHealth((h) => h.activity === 'idle' && h.pending === 0);
  expect(health.delivered).toBe(50);
});

test('a failover that loses nothing, again and again under one collector, sends each entry with one number', {
  timeout: 90_000,
}, async () => {
  const proxy = await startTcpProxy(pair.ports[0]);
  const db = openDatabase(`postgres://postgres:${pair.password}@127.0.0.1:${proxy.port}/postgres`);
  onTestFinished(() => db.end());
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
  for (let round = 1; round <= 2; round++) {
    await insertOnPrimary(pair, 55);
    await receiver.waitFor((r) => r.ledger.storedCount >= (round - 1) * 110 + 30);
    await engine.waitForIdle();
    await pair.catchUp();
    await pair.failOver();
    proxy.retarget(Number(new URL(pair.primaryUrl).port));
    await insertOnPrimary(pair, 55);
    await pair.rebuildStandby();
  }
  const after = openDatabase(pair.primaryUrl, 1);
  const uids = await uidsOf(after);
  await after.end();
  await receiver.waitFor((r) => r.ledger.storedCount === uids.length, 30_000);
  expect(receiver.ledger.storedUids().sort()).toEqual(uids);
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
});

async function insertOnPrimary({ primaryUrl }: PostgresPair, count: number): Promise<void> {
  const db = openDatabase(primaryUrl, 1);
  await insertEntries(db, numbered(count));
  await db.end();
}

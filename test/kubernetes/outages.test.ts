/** Replicas in a cluster that lose each other, Postgres or the API server: no entry lost, nothing moved by the wrong one. */
import { describe, expect, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import type { CollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import type { Receiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';
import { watchCluster } from '../tools/watchedExports.ts';
import { makeClusterCollector } from './clusterCollector.ts';
import { applyConfig, collectorKubeconfig, crd, readConfig } from './harness.ts';

const streams = 6;
/** A third of the default, so that a hand-over comes in a third of its 15 s. */
const settings = { LEASE_DURATION_MS: '3000' };

describe.skipIf(isClusterMissing())('two replicas in a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });
  const postgres = usePostgres({ prepare: migrateDatabase, settings: { max_connections: '60' } });

  async function startTwo(databaseUrls?: (url: string) => Promise<[string, string]>) {
    const { current } = cluster;
    const { url, db, receiver } = await setUp(postgres);
    const namespace = await current.createNamespace();
    const kubeconfig = await collectorKubeconfig(current, namespace);
    const [urlOfOne, urlOfTwo] = databaseUrls ? await databaseUrls(url) : [url, url];
    const make = (databaseUrl: string, ReplicaName: string) =>
      makeClusterCollector({
        databaseUrl,
        namespace,
        kubeconfig,
        settings: { ...settings, REPLICA_NAME: ReplicaName },
      });
    const one = await make(urlOfOne, 'one');
    const two = await make(urlOfTwo, 'two');
    for (let i = 0; i < streams; i++) {
      await applyConfig(current, namespace, `s${i}`, {
        organization: 'acme',
        endpoint: receiver.endpoint,
        startFrom: 'Beginning',
      });
    }
    watchCluster(current, namespace, { db, receiver });
    one.start();
    two.start();
    await waitFor(async () => (await heldBy(one)) === streams / 2 && (await heldBy(two)) === streams / 2, {
      timeoutMs: 30_000,
    });
    let inserted = 0;
    const insert = async (count: number): Promise<void> => {
      await insertEntries(db, numbered(count));
      inserted += count;
    };
    const arrived = (timeoutMs = 20_000): Promise<void> =>
      receiver.waitFor((r) => r.ledger.storedCount === inserted * streams, timeoutMs);
    await insert(50);
    await arrived();
    return { db, receiver, namespace, one, two, insert, arrived };
  }

  test('a killed one and a paused one hand over within the lease, and come back without harm', {
    timeout: 120_000,
  }, async () => {
    const { db, receiver, one, two, insert, arrived } = await startTwo();
    await one.kill('SIGKILL');
    await insert(50);
    await arrived();
    one.start();
    await waitFor(async () => (await heldBy(one)) === streams / 2, { timeoutMs: 30_000 });

    process.kill(two.pid, 'SIGSTOP');
    await insert(50);
    await arrived();
    process.kill(two.pid, 'SIGCONT');
    await insert(50);
    await arrived();
    await waitFor(async () => (await heldBy(one)) === streams / 2 && (await heldBy(two)) === streams / 2, {
      timeoutMs: 30_000,
    });
    await expectExact(receiver, await uidsOf(db));
  });

  test('one that is cut off from Postgres loses its streams to the other, and moves nothing when it is back', {
    timeout: 120_000,
  }, async () => {
    let cut = (): void => {};
    let heal = (): void => {};
    const { db, receiver, one, insert, arrived } = await startTwo(async (url) => {
      const proxy = await startTcpProxy(postgres.server.port);
      cut = proxy.cut;
      heal = proxy.heal;
      const through = new URL(url);
      through.port = String(proxy.port);
      return [through.href, url];
    });
    cut();
    await insert(50);
    await arrived();
    heal();
    await insert(50);
    await arrived();
    await waitFor(async () => (await heldBy(one)) === streams / 2, { timeoutMs: 60_000 });
    await insert(10);
    await arrived();
    await expectExact(receiver, await uidsOf(db));
  });

  test('deliveries go on while the API server is away, and statuses follow when it is back', {
    timeout: 120_000,
  }, async () => {
    const { current } = cluster;
    const { db, receiver, namespace, one, insert, arrived } = await startTwo();
    await current.stopApiServer();
    await insert(50);
    await arrived();
    expect((await fetch(`${one.operations}/readyz`)).status).toBe(200);
    await current.startApiServer();
    await waitFor(
      async () => {
        const statuses = await Promise.all(
          Array.from({ length: streams }, (_, i) => readConfig(current, namespace, `s${i}`)),
        );
        return statuses.every(
          ({ status }) => status?.deliveredEntries === 100 && status.conditions[0]?.status === 'True',
        );
      },
      { timeoutMs: 60_000 },
    );
    await expectExact(receiver, await uidsOf(db));
  });
});

async function heldBy(collector: CollectorProcess): Promise<number> {
  const response = await fetch(`${collector.operations}/metrics`).catch(() => null);
  const match = /audit_export_leases_held (\d+)/.exec((await response?.text()) ?? '');
  return Number(match?.[1] ?? 0);
}

/** Every stream has every entry, with its own numbers, and repeats were the same bytes. */
async function expectExact(receiver: Receiver, uids: readonly string[]): Promise<void> {
  expect(receiver.ledger.differences).toEqual([]);
  const streamIds = new Set(
    receiver.records.map((record) => String(record.attributes.get('audit.stream.id'))),
  );
  expect(streamIds.size).toBe(streams);
  for (const id of streamIds) {
    expect(receiver.ledger.storedUids(id).sort()).toEqual(uids);
    expect(receiver.ledger.missingSequences(id)).toEqual([]);
  }
}

/** The whole collector as a process, with its configs in a cluster. */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';
import { watchCluster } from '../tools/watchedExports.ts';
import {
  applyConfig,
  applySecret,
  collectorKubeconfig,
  crd,
  deleteConfig,
  readConfig,
  secretHeader,
} from './harness.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUpCollector(cluster: Cluster, more: Record<string, unknown> = {}) {
  const { url, db, receiver } = await setUp(postgres);
  receiver.answerWith(({ headers }) => ({ status: headers['x-token'] === 'good' ? 200 : 401 }));
  const namespace = await cluster.createNamespace();
  const kubeconfig = await collectorKubeconfig(cluster, namespace);
  const collector = await makeCollectorProcess(url, {
    CONFIG_SOURCE: 'kubernetes',
    CONFIG_DIRECTORY: '',
    KUBECONFIG: kubeconfig,
    WATCH_NAMESPACE: namespace,
    STATUS_INTERVAL_MS: '1000',
  });
  watchCluster(cluster, namespace, { db, receiver });
  const get = async (path: string) => {
    const response = await fetch(`${collector.operations}${path}`).catch(() => null);
    return { status: response?.status ?? 0, text: (await response?.text()) ?? '' };
  };
  const spec = {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    ...secretHeader('siem'),
    ...more,
  };
  return {
    db,
    receiver,
    namespace,
    collector,
    get,
    applyAcme: (metadata?: Record<string, unknown>) =>
      applyConfig(cluster, namespace, 'acme', spec, metadata),
    read: () => readConfig(cluster, namespace, 'acme'),
    isReady: async () => (await get('/readyz')).status === 200,
    waitForReason: (reason: string) =>
      waitFor(
        async () => {
          const { status } = await readConfig(cluster, namespace, 'acme');
          return status?.conditions?.some((each) => each.type === 'Ready' && each.reason === reason);
        },
        { timeoutMs: 30_000, describe: () => collector.output().slice(-3_000) },
      ),
  };
}

describe.skipIf(isClusterMissing())('a collector in a cluster', { timeout: 120_000 }, () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('delivers, holds on a wrong token, goes on with a rotated one, and handles the wish for a retry', async () => {
    const { current } = cluster;
    const { db, receiver, namespace, collector, applyAcme, read, get, waitForReason } =
      await setUpCollector(current);
    await insertEntries(db, numbered(20));
    await applySecret(current, namespace, 'siem', { token: 'bad' });
    await applyAcme();
    collector.start();
    await waitForReason('Unauthorized');
    await applySecret(current, namespace, 'siem', { token: 'good' });
    await waitForReason('Delivering');
    await receiver.waitFor((r) => r.ledger.storedCount === 20);
    await waitFor(async () => (await read()).status?.deliveredEntries === 20);
    expect((await read()).status).toMatchObject({
      observedGeneration: 1,
      lastError: { reason: 'Unauthorized' },
    });
    await applyAcme({ annotations: { 'auditexport.dev/reconcile-at': 'now' } });
    await waitFor(async () => (await read()).status?.lastHandledReconcileAt === 'now');
    expect(collector.output()).not.toContain('good');

    await applyAcme({ annotations: { 'auditexport.dev/replay': 'yesterday' } });
    const messageOf = async () => (await read()).status?.conditions?.[0]?.message ?? '';
    await waitFor(async () => (await messageOf()).includes('is "yesterday", so nothing is sent again'));
    const range = `${new Date(Date.now() - 3_600_000).toISOString()}/${new Date().toISOString()}`;
    await applyAcme({ annotations: { 'auditexport.dev/replay': range } });
    await waitFor(async () => (await read()).status?.replay?.state === 'Done');
    expect((await read()).status).toMatchObject({
      deliveredEntries: 21,
      replay: { sentEntries: 20, totalEntries: 20, message: '20 entries sent again.' },
    });
    expect(await messageOf()).toBe('Every entry is delivered.');
    // It is not asked for again by a restart, and what came of it is still said.
    expect(await collector.kill('SIGTERM')).toBe(0);
    const before = await read();
    collector.start();
    await waitFor(async () => /audit_export_leases_held 1/.test((await get('/metrics')).text));
    await insertEntries(db, [{}]);
    await waitFor(async () => (await read()).status?.deliveredEntries === 22);
    expect((await read()).status?.replay).toEqual(before.status?.replay);
  });

  it('counts what the alert AuditExportWithoutSender asks for: a suspended export has a sender, one without its Secret has none', async () => {
    const { current } = cluster;
    const { namespace, collector, get, applyAcme, db, receiver, waitForReason } =
      await setUpCollector(current);
    await applySecret(current, namespace, 'siem', { token: 'good' });
    await applyAcme();
    const spec = { organization: 'globex', endpoint: receiver.endpoint };
    await applyConfig(current, namespace, 'suspended', { ...spec, suspend: true });
    await applyConfig(current, namespace, 'broken', { ...spec, ...secretHeader('missing') });
    await insertEntries(db, [{}]);
    collector.start();
    const counts = ['audit_export_configs 3', 'audit_export_config_problems 1', 'audit_export_leases_held 2'];
    let metrics = '';
    await waitFor(
      async () => {
        metrics = (await get('/metrics')).text;
        return counts.every((line) => metrics.includes(`\n${line}\n`));
      },
      { describe: () => metrics },
    );
    await waitForReason('Delivering');
  });

  it('says what a replaced config has left undelivered, and delivers it once an annotation asks for that', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const { db, receiver, namespace, collector, applyAcme, read, waitForReason } = await setUpCollector(
      current,
      { startFrom: 'Now' },
    );
    await applySecret(current, namespace, 'siem', { token: 'good' });
    await applyAcme();
    collector.start();
    await waitFor(() => collector.output().includes('took streams'));
    await insertEntries(db, [{}]);
    await waitFor(async () => (await read()).status?.deliveredEntries === 1);
    receiver.answerWith({ status: 401 });
    await insertEntries(db, [{ eventType: 'flow.left' }, { eventType: 'flow.left' }]);
    await waitForReason('Unauthorized');

    // As kubectl replace --force does.
    await deleteConfig(current, namespace, 'acme');
    await applyAcme();
    const words = /left 2 entries undelivered/;
    const messageOf = async () => (await read()).status?.conditions?.[0]?.message ?? '';
    await waitFor(async () => words.test(await messageOf()), { timeoutMs: 30_000 });
    await waitFor(() => words.test(collector.output()));
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    await waitFor(async () => {
      const events = (await current.request({ path })).body['items'] as Array<Record<string, unknown>>;
      return events.some(
        ({ type, reason, note }) =>
          type === 'Warning' && reason === 'FormerEntriesLeft' && words.test(String(note)),
      );
    });
    receiver.answerWith(ok);
    expect(receiver.ledger.storedCount).toBe(1);
    await applyAcme({ annotations: { 'auditexport.dev/take-over': 'true' } });
    await receiver.waitFor((r) => r.ledger.storedCount === 3, 30_000);
    await waitFor(async () => !words.test(await messageOf()));
  });

  it('writes nothing when it is started again and nothing is new', async () => {
    const { current } = cluster;
    const { db, receiver, namespace, collector, applyAcme, read, get } = await setUpCollector(current);
    await applySecret(current, namespace, 'siem', { token: 'good' });
    await applyAcme();
    collector.start();
    await insertEntries(db, numbered(20));
    await receiver.waitFor((r) => r.ledger.storedCount === 20);
    // Its first checkpoint is news as well.
    await waitFor(
      async () => {
        const { status } = await read();
        return status?.deliveredEntries === 20 && status.pendingEntries === 0 && status.ledger?.size === 20;
      },
      { timeoutMs: 60_000 },
    );
    expect(await collector.kill('SIGTERM')).toBe(0);
    const before = await read();
    collector.start();
    await waitFor(async () => /audit_export_leases_held 1/.test((await get('/metrics')).text));
    // Long enough for several looks at the status, and one at the backlog.
    await waitFor(
      async () => /poll_duration_seconds_count ([4-9]\d|\d{3,})/.test((await get('/metrics')).text),
      {
        timeoutMs: 60_000,
      },
    );
    const after = await read();
    expect(after.status).toEqual(before.status);
    expect(after.metadata['resourceVersion']).toBe(before.metadata['resourceVersion']);
    expect((await get('/metrics')).text).not.toContain('method="PATCH"');
  });

  it('is not ready until it has read its configs, lives meanwhile, and stays ready after', async () => {
    const { current } = cluster;
    const { receiver, db, namespace, collector, applyAcme, get, isReady, waitForReason } =
      await setUpCollector(current);
    await applySecret(current, namespace, 'siem', { token: 'good' });
    await applyAcme();
    await current.stopApiServer();
    collector.start();
    await waitFor(() => collector.output().includes('cannot be used'));
    const waiting = await get('/readyz');
    expect([waiting.status, (await get('/livez')).status]).toEqual([503, 200]);
    expect(waiting.text).toContain('The manifests have not been read yet.');
    expect((await get('/metrics')).text).toMatch(/^audit_export_config_source_synced 0$/m);
    expect(await collector.kill('SIGTERM')).toBe(0);
    collector.start();
    await current.startApiServer();
    await waitFor(isReady, { timeoutMs: 60_000 });
    await waitForReason('NothingSent');

    await current.stopApiServer();
    await waitFor(async () => /^audit_export_config_source_synced 0$/m.test((await get('/metrics')).text));
    await insertEntries(db, numbered(5));
    await receiver.waitFor((r) => r.ledger.storedCount === 5);
    expect(await isReady()).toBe(true);
    // A stop while the API server is away takes no longer than it must.
    expect(await collector.kill('SIGTERM')).toBe(0);
    await current.startApiServer();
  });
});

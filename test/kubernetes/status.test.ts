import { describe, expect, it } from 'vitest';
import type { Condition, ExportStatus } from '../../src/model/streamStatus.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, crd, deleteConfig, readConfig, startSource } from './harness.ts';
import { allowCollector, kubernetesRules } from './rights.ts';

const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Delivering',
  message: 'Every entry is delivered.',
  lastTransitionTime: '2026-05-01T10:00:00.123Z',
  observedGeneration: 1,
};
const full: ExportStatus = {
  observedGeneration: 1,
  resolvedEndpoint: 'https://otel.example.com/v1/logs',
  conditions: [ready],
  lastError: {
    time: '2026-05-01T09:00:00.000Z',
    reason: 'Unauthorized',
    message: 'Check the token.',
    httpStatus: 401,
    resolvedTime: '2026-05-01T10:00:00.000Z',
  },
  lastDeliveryTime: '2026-05-01T10:00:00.456Z',
  deliveredEntries: 12_345_678_901,
  pendingEntries: 0,
  parkedEntries: 0,
  rejectedEntries: 2,
  oldestPendingTime: '2026-05-01T10:00:00.000Z',
  lastHandledReconcileAt: 'now',
};
const failed: Condition = { ...ready, status: 'False', reason: 'Unauthorized', message: 'Check the token.' };
const stalled: Condition = { ...failed, type: 'Stalled', status: 'True' };

async function setUp(cluster: Cluster) {
  const test = await startSource(cluster);
  const key = await applyConfig(cluster, test.namespace, 'acme');
  await test.waitForState('acme', () => true);
  const read = () => readConfig(cluster, test.namespace, 'acme');
  return {
    ...test,
    key,
    read,
    async write(status: ExportStatus) {
      await test.source.writeStatus(key, status);
    },
    waitForReason: (reason: string) =>
      waitFor(async () => (await read()).status?.conditions?.some((each) => each.reason === reason)),
    async countPatches() {
      const text = await test.metrics();
      return Number(/kubernetes_requests_total\{method="PATCH",code="200"\} (\d+)/.exec(text)?.[1] ?? 0);
    },
  };
}

describe.skipIf(isClusterMissing())('status in a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('is stored whole, and is there for the next run', async () => {
    const { current } = cluster;
    const { source, key, write, read, waitForReason, namespace, kubeconfig } = await setUp(current);
    await write(full);
    await waitForReason('Delivering');
    expect((await read()).status).toEqual(full);
    await waitFor(() => source.previousStatus?.(key) ?? undefined);
    expect(source.previousStatus?.(key)).toEqual(full);
    await source.stop();
    const next = await startSource(current, { namespace, kubeconfig });
    expect(next.source.previousStatus?.(key)).toEqual(full);
  });

  it('is not written when it is there already, by this run or another', async () => {
    const { current } = cluster;
    const { write, read, waitForReason, countPatches, namespace, kubeconfig, key, source } =
      await setUp(current);
    await write(full);
    await waitForReason('Delivering');
    const version = (await read()).metadata['resourceVersion'];
    await write({ ...full, conditions: [{ ...ready }] });
    const next = await startSource(current, { namespace, kubeconfig });
    await next.source.writeStatus(key, full);
    // Stopping writes what waits.
    await next.source.stop();
    await source.stop();
    expect((await read()).metadata['resourceVersion']).toBe(version);
    expect(await countPatches()).toBe(1);
  });

  it('replaces its own fields and conditions, and leaves those of others alone', async () => {
    const { current } = cluster;
    const { write, read, waitForReason, namespace, source, key } = await setUp(current);
    await write({ ...full, conditions: [failed, stalled] });
    await waitForReason('Unauthorized');
    const other = { ...ready, type: 'Approved', reason: 'Yes' };
    const answer = await current.request({
      method: 'PATCH',
      path: `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs/acme/status?fieldManager=other`,
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name: 'acme', namespace },
        status: { conditions: [other] },
      },
    });
    expect(answer.status).toBe(200);
    await write({ observedGeneration: 1, conditions: [ready] });
    await waitForReason('Delivering');
    const { status, metadata } = await read();
    expect(status?.conditions.map(({ type }) => type).toSorted()).toEqual(['Approved', 'Ready']);
    expect(status?.lastError).toBeUndefined();
    const managers = metadata['managedFields'] as
      | undefined
      | Array<{ manager: string; operation: string; subresource?: string }>;
    expect(managers).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ manager: 'audit-export', operation: 'Apply', subresource: 'status' }),
        expect.objectContaining({ manager: 'other', operation: 'Apply', subresource: 'status' }),
      ]),
    );
    await waitFor(() => source.previousStatus?.(key)?.conditions[0]?.status === 'True');
    expect(source.previousStatus?.(key)?.conditions).toEqual([ready]);
  });

  it('never goes to a config made anew under the same name', async () => {
    const { current } = cluster;
    const { key, write, read, namespace, states, source } = await setUp(current);
    // The right to see the deletion is gone before it happens.
    await allowCollector(current, namespace, false, kubernetesRules.slice(1));
    await current.restartApiServer();
    await deleteConfig(current, namespace, 'acme');
    await applyConfig(current, namespace, 'acme');
    expect(states()?.has(key)).toBe(true);
    await write(full);
    await source.stop();
    expect((await read()).status?.conditions ?? []).toEqual([]);
  });

  it('is reported once and not tried again when the server calls it invalid; the next one is written', async () => {
    const { current } = cluster;
    const { write, waitForReason, logs, metrics } = await setUp(current);
    await write({ ...full, conditions: [{ ...ready, reason: 'HTTP-401 Unauthorized' }] });
    await waitFor(() =>
      logs().some(({ msg }) => String(msg).startsWith('The status of an export was not accepted')),
    );
    await write({ ...full, conditions: [failed] });
    await waitForReason('Unauthorized');
    expect(await metrics()).toContain('audit_export_status_write_failures_total{code="422"} 1');
    expect(await metrics()).toContain('audit_export_kubernetes_requests_total{method="PATCH",code="422"} 1');
  });

  it('is written once the right to is back, and says which right it is, once', async () => {
    const { current } = cluster;
    const { write, waitForReason, logs, namespace, metrics } = await setUp(current);
    await allowCollector(
      current,
      namespace,
      false,
      kubernetesRules.filter(({ verbs }) => !verbs.includes('patch')),
    );
    const isRefused = () =>
      logs().filter(({ msg }) => String(msg).includes('patch on auditexportconfigs/status'));
    await waitFor(async () => {
      await write({ ...full, deliveredEntries: Math.random() });
      return isRefused().length > 0;
    });
    await waitFor(async () => /status_write_failures_total\{code="403"\} [3-9]/.test(await metrics()));
    expect(isRefused()).toHaveLength(1);
    await write({ ...full, conditions: [failed] });
    await allowCollector(current, namespace);
    await waitForReason('Unauthorized');
  });

  it('shows its conditions in the metrics until the config is gone', async () => {
    const { current } = cluster;
    const { write, namespace, metrics } = await setUp(current);
    await write({ ...full, conditions: [failed, stalled] });
    const has = (type: string, status: string) => async () =>
      (await metrics()).includes(
        `audit_export_config_condition{namespace="${namespace}",name="acme",type="${type}",status="${status}"} 1`,
      );
    await waitFor(has('Stalled', 'True'));
    await waitFor(has('Ready', 'False'));
    await write(full);
    await waitFor(has('Ready', 'True'));
    expect(await has('Stalled', 'True')()).toBe(false);
    await deleteConfig(current, namespace, 'acme');
    await waitFor(async () => !(await metrics()).includes('audit_export_config_condition{'));
  });

  it('is what kubectl wait waits for, and what kubectl get shows', async () => {
    const { current } = cluster;
    const { write, namespace } = await setUp(current);
    const waiting = current.kubectl([
      'wait',
      '-n',
      namespace,
      '--for=condition=Ready',
      '--timeout=15s',
      'aec/acme',
    ]);
    await write(full);
    expect(await waiting).toMatchObject({ exitCode: 0 });
    const { stdout } = await current.kubectl(['get', 'aec', '-n', namespace, 'acme']);
    expect(stdout).toMatch(/acme +True +Delivering/);
  });
});

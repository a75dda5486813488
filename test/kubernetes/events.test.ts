import { describe, expect, it } from 'vitest';
import type { Condition, ExportStatus } from '../../src/model/streamStatus.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, crd, readConfig, startSource } from './harness.ts';

function makeStatus(status: Condition['status'], reason: string, message = `${reason}.`): ExportStatus {
  const lastTransitionTime = '2026-05-01T10:00:00.000Z';
  return {
    observedGeneration: 1,
    conditions: [{ type: 'Ready', status, reason, message, lastTransitionTime, observedGeneration: 1 }],
  };
}

interface StoredEvent {
  readonly metadata: { readonly name: string };
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: Record<string, unknown>;
  readonly series?: { readonly count: number };
}

async function setUp(cluster: Cluster, name = 'acme') {
  const test = await startSource(cluster);
  const key = await applyConfig(cluster, test.namespace, name);
  await test.waitForState(name, () => true);
  const readEvents = async (): Promise<StoredEvent[]> => {
    const { body } = await cluster.request({
      path: `/apis/events.k8s.io/v1/namespaces/${test.namespace}/events`,
    });
    return body['items'] as StoredEvent[];
  };
  return {
    ...test,
    key,
    readEvents,
    /** Resolves when the cluster has it. */
    async write(status: ExportStatus) {
      await test.source.writeStatus(key, status);
      await waitFor(async () => {
        const stored = (await readConfig(cluster, test.namespace, name)).status?.conditions?.[0];
        return (
          stored?.reason === status.conditions[0]?.reason && stored?.message === status.conditions[0]?.message
        );
      });
    },
    async summaries() {
      const events = await readEvents();
      return events.map(({ type, reason, series }) => `${type} ${reason} ${series?.count ?? 1}`).toSorted();
    },
  };
}

describe.skipIf(isClusterMissing())('events of a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('tell when an export fails and when it recovers, with the reason and the message of the condition', async () => {
    const { namespace, key, write, readEvents, summaries } = await setUp(cluster.current);
    await write(makeStatus('Unknown', 'Progressing'));
    await write(makeStatus('False', 'Unauthorized', 'Check the token.'));
    await write(makeStatus('True', 'Delivering'));
    await write(makeStatus('False', 'Suspended'));
    await waitFor(async () => (await readEvents()).length === 3);
    expect(await summaries()).toEqual([
      'Normal Delivering 1',
      'Normal Suspended 1',
      'Warning Unauthorized 1',
    ]);
    const failed = (await readEvents()).find(({ reason }) => reason === 'Unauthorized');
    expect(failed).toMatchObject({
      note: 'Check the token.',
      regarding: {
        kind: 'AuditExportConfig',
        apiVersion: 'auditexport.dev/v1',
        namespace,
        name: 'acme',
        uid: key,
      },
    });
    expect(failed?.metadata.name).toMatch(/^acme\.[0-9a-f]{16}$/);
  });

  it('count what comes again, and are not made by counters, messages or a restart', async () => {
    const { namespace, kubeconfig, write, summaries, source, key } = await setUp(cluster.current);
    for (let round = 0; round < 3; round++) {
      await write(makeStatus('False', 'Timeout'));
      await write({ ...makeStatus('False', 'Timeout', 'Another message.'), deliveredEntries: round });
      await write(makeStatus('True', 'Delivering'));
    }
    const expected = ['Normal Delivering 3', 'Warning Timeout 3'];
    await waitFor(async () => (await summaries()).join() === expected.join(), {
      describe: () => 'events differ',
    });
    await source.stop();
    const next = await startSource(cluster.current, { namespace, kubeconfig });
    await next.source.writeStatus(key, { ...makeStatus('True', 'Delivering'), deliveredEntries: 9 });
    await waitFor(async () => {
      return (await readConfig(cluster.current, namespace, 'acme')).status?.deliveredEntries === 9;
    });
    await next.source.stop();
    expect(await summaries()).toEqual(expected);
  });

  it('are taken for the longest name', async () => {
    const { write, readEvents } = await setUp(cluster.current, `${'a'.repeat(63)}.${'b'.repeat(180)}`);
    await write(makeStatus('False', 'Timeout', 'x'.repeat(5_000)));
    await waitFor(async () => (await readEvents()).length === 1);
  });

  it('are shown by kubectl describe', async () => {
    const { namespace, write, readEvents } = await setUp(cluster.current);
    await write(makeStatus('False', 'Unauthorized', 'Check the token.'));
    await waitFor(async () => (await readEvents()).length === 1);
    const { stdout } = await cluster.current.kubectl(['describe', 'aec', '-n', namespace, 'acme']);
    expect(stdout).toMatch(/Warning +Unauthorized .* Check the token\./);
  });
});

/** docs/examples/sidecar.yaml on a real API server, and its containers as processes with what their pod gives them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { programVersion } from '../../src/settings/version.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { applySecret } from '../kubernetes/harness.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { insertEntries, numbered } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { setUp } from '../tools/setUp.ts';
import { createRestrictedNamespace, findRefusals } from './dryRun.ts';
import { parseObjects } from './helm.ts';
import { startContainer } from './kubelet.ts';
import { findContainer, findObject, type ManifestObject, podSpecOf } from './manifest.ts';

const example = await readFile(join(import.meta.dirname, '../../docs/examples/sidecar.yaml'), 'utf8');
const objects = parseObjects(example);
const deployment = findObject(objects, 'Deployment');
const sidecar = findContainer(deployment, 'audit-export');

test('is a native sidecar of this version that calls no API and has no say in the readiness of the product', () => {
  const pod = podSpecOf(deployment);
  expect(sidecar.restartPolicy).toBe('Always');
  expect(pod?.initContainers?.map(({ name }) => name)).toEqual(['audit-export-migrate', 'audit-export']);
  expect(pod?.automountServiceAccountToken).toBe(false);
  expect(sidecar.readinessProbe).toBeUndefined();
  expect(sidecar.startupProbe).toBeUndefined();
  expect(sidecar.livenessProbe).toMatchObject({ httpGet: { path: '/livez' } });
  expect(sidecar.image).toBe(`audit-export:${programVersion}`);
  const graceMs = Number(sidecar.env?.find(({ name }) => name === 'SHUTDOWN_GRACE_MS')?.value);
  // The product's own half of the time, the sidecar's grace, and the 4 s after which the process ends itself.
  expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(30 + graceMs / 1_000 + 4);
});

describe.skipIf(isClusterMissing())('on an API server', () => {
  const cluster = useCluster({
    prepare: async (current) => void (await createRestrictedNamespace(current, 'product')),
  });
  const postgres = usePostgres();

  test('is taken in a restricted namespace, without a warning', async () => {
    expect(await findRefusals(cluster.current, 'product', objects)).toEqual([]);
  });

  test('delivers; lives on while the receiver does not; a stop in the middle loses nothing', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const namespace = 'product';
    const { url, db, receiver } = await setUp(postgres);
    const { role, url: collector } = await makeRole(db, url);
    await applySecret(current, namespace, 'product-audit', { owner: url, collector });
    await applySecret(current, namespace, 'acme-siem', { authorization: 'Bearer s3cr3t' });
    const configMap = JSON.stringify(findObject(objects, 'ConfigMap')).replace(
      'https://otel.example.com:4318',
      receiver.endpoint,
    );
    await current.apply(configMap.replace('"metadata":{', `"metadata":{"namespace":"${namespace}",`));
    const port = await findFreePort();
    const operations = `http://127.0.0.1:${port}`;
    const node = {
      cluster: current,
      namespace,
      translate: (value: string) => value.replace(':9090', `:${port}`).replace(/^audit_export$/, role),
    };

    // What follows counts entries.
    const counted = JSON.stringify(deployment).replaceAll(
      '{"name":"CONFIG_SOURCE"',
      '{"name":"CONFIG_CHANGE_ENTRIES","value":"omit"},{"name":"CONFIG_SOURCE"',
    );
    const pods: ManifestObject = JSON.parse(counted);
    const migration = await startContainer(node, pods, 'audit-export-migrate');
    expect(await migration.ended, migration.output()).toBe(0);
    const first = await startContainer(node, pods, 'audit-export');
    const statusOf = async (path: string) => (await fetch(operations + path).catch(() => undefined))?.status;
    await waitFor(async () => (await statusOf('/readyz')) === 200, { describe: first.output });

    await insertEntries(db, numbered(1));
    await receiver.waitFor((r) => r.ledger.storedCount === 1);
    expect(receiver.requests[0]?.headers.authorization).toBe('Bearer s3cr3t');

    receiver.answerWith({ status: 503 });
    await insertEntries(db, numbered(1));
    await receiver.waitFor((r) => r.requestCount >= 3);
    expect([await statusOf('/livez'), await statusOf('/readyz')]).toEqual([200, 200]);

    // Stopped while a request has no answer yet, and with more to come.
    const release = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    receiver.answerWith(async () => {
      waiting.resolve();
      await release.promise;
      return { status: 200 };
    });
    await waiting.promise;
    const stopping = first.stop();
    await insertEntries(db, numbered(5));
    await waitFor(() => first.output().includes('"stopping"'));
    release.resolve();
    expect(await stopping, first.output()).toBe(0);
    expect(receiver.ledger.storedCount).toBe(2);

    const second = await startContainer(node, pods, 'audit-export');
    await receiver.waitFor((r) => r.ledger.storedCount === 7);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.ledger.differences).toEqual([]);
    expect(await second.stop()).toBe(0);
    expect(second.output()).not.toContain('s3cr3t');
  });
});

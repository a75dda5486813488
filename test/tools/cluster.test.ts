import { CoreV1Api } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { fastCompaction, isClusterMissing, useCluster } from './cluster.ts';

describe.skipIf(isClusterMissing())('the test cluster', () => {
  const cluster = useCluster();

  it('keeps its objects and its tokens over a restart on the same address', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const core = current.client.makeApiClient(CoreV1Api);
    await core.createNamespacedSecret({
      namespace,
      body: { metadata: { name: 'kept' }, stringData: { word: 'kept' } },
    });
    const token = await current.tokenFor('reader', namespace);
    await current.stopApiServer();
    await expect(core.readNamespacedSecret({ namespace, name: 'kept' })).rejects.toThrow();
    await current.startApiServer();
    const secret = await core.readNamespacedSecret({ namespace, name: 'kept' });
    expect(Buffer.from(secret.data?.['word'] ?? '', 'base64').toString()).toBe('kept');
    // 403, not 401: it still knows who asks.
    const asReader = current.clientFor(token).makeApiClient(CoreV1Api);
    await expect(asReader.readNamespacedSecret({ namespace, name: 'kept' })).rejects.toMatchObject({
      code: 403,
    });
  });

  it('lets a ServiceAccount do what a role allows, and nothing else', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const asReader = current
      .clientFor(await current.tokenFor('reader', namespace), namespace)
      .makeApiClient(CoreV1Api);
    await expect(asReader.listNamespacedSecret({ namespace })).rejects.toMatchObject({ code: 403 });
    await current.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: ${namespace}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: ${namespace}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: ${namespace}}]
`);
    await expect(asReader.listNamespacedSecret({ namespace })).resolves.toMatchObject({ items: [] });
    await expect(
      asReader.createNamespacedSecret({ namespace, body: { metadata: { name: 'a' } } }),
    ).rejects.toMatchObject({ code: 403 });
  });

  it('answers kubectl as the admin, input included', async () => {
    const { kubectl } = cluster.current;
    const created = await kubectl(['create', '-f', '-'], {
      input: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\n',
    });
    expect(created).toEqual({ exitCode: 0, stdout: 'configmap/made created\n', stderr: '' });
    const missing = await kubectl(['get', 'configmap', 'other']);
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('configmaps "other" not found');
  });
});

describe.skipIf(isClusterMissing())('a test cluster that forgets fast', () => {
  const cluster = useCluster(fastCompaction);

  it('no longer knows an old version after a while', async () => {
    const { current } = cluster;
    const path = '/api/v1/configmaps';
    const { body } = await current.request({ path });
    const { resourceVersion } = body['metadata'] as { readonly resourceVersion: string };
    let changes = 0;
    const answer = await waitFor(
      async () => {
        // Only what is older than the newest is forgotten.
        await current.apply(
          `{apiVersion: v1, kind: ConfigMap, metadata: {name: changing}, data: {at: "${++changes}"}}`,
        );
        const query = new URLSearchParams({ resourceVersion, resourceVersionMatch: 'Exact' });
        const { status } = await current.request({ path: `${path}?${query}` });
        return status === 410 ? 'gone' : undefined;
      },
      { timeoutMs: 60_000 },
    );
    expect(answer).toBe('gone');
  }, 90_000);
});

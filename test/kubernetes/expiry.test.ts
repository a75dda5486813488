import { describe, expect, it, onTestFinished } from 'vitest';
import type { ApiFailure } from '../../src/configs/kubernetes/apiAnswer.ts';
import { makeApiClient } from '../../src/configs/kubernetes/apiClient.ts';
import { loadConnection } from '../../src/configs/kubernetes/connection.ts';
import { listPages } from '../../src/configs/kubernetes/listPages.ts';
import { Reflector } from '../../src/configs/kubernetes/reflector.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { fastCompaction, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applySecret } from './harness.ts';

describe.skipIf(isClusterMissing())('a version that the API server has forgotten', () => {
  const cluster = useCluster(fastCompaction);

  it('is no failure: everything is read again, and followed', { timeout: 90_000 }, async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    await applySecret(current, namespace, 'before', { a: '1' });
    const loaded = loadConnection(current.adminKubeconfigPath);
    if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded));
    const answers: string[] = [];
    const { connection } = loaded;
    const api = makeApiClient({
      connection,
      userAgent: 'test',
      countRequest: (method, code) => answers.push(`${method} ${code}`),
    });
    onTestFinished(() => api.close());
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const names = new Set<string>();
    const failures: ApiFailure[] = [];
    let lists = 0;
    // The first watch opens only when its version is gone.
    const gate = Promise.withResolvers<void>();
    const reflector = new Reflector({
      api,
      path,
      streamsInitialState: false,
      waitTurn: () => gate.promise,
      list: (signal) => listPages(api, path, signal),
      sink: {
        replace(objects) {
          lists++;
          names.clear();
          for (const { metadata } of objects) names.add(metadata.name);
        },
        apply: (_, { metadata }) => names.add(metadata.name),
        onHealth: (failure) => void (failure && failures.push(failure)),
      },
    });
    onTestFinished(() => reflector.stop());
    reflector.start();
    await waitFor(() => lists === 1);
    await applySecret(current, namespace, 'meanwhile', { a: '1' });
    const { body } = await current.request({ path: `${path}?limit=1` });
    const { resourceVersion } = body['metadata'] as { resourceVersion: string };
    await waitFor(
      async () => {
        await applySecret(current, namespace, 'churn', { a: String(Math.random()) });
        const old = await current.request({
          path: `${path}?limit=1&resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`,
        });
        return old.status === 410;
      },
      { timeoutMs: 60_000 },
    );
    gate.resolve();
    await waitFor(() => names.has('meanwhile'));
    await applySecret(current, namespace, 'after', { a: '1' });
    await waitFor(() => names.has('after'));
    expect(lists).toBe(2);
    expect(failures).toEqual([]);
  });
});

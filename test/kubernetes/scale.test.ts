import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, applySecret, crd, makeSpec, secretHeader, startSource, tokenOf } from './harness.ts';

const count = 1_000;

describe.skipIf(isClusterMissing())('a thousand configs with a Secret each', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('are read in ten seconds, each Secret once, and follow their Secrets by one watch', {
    timeout: 180_000,
  }, async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const names = Array.from({ length: count }, (_, i) => `config-${i}`).values();
    const make = async () => {
      for (const name of names) {
        await applySecret(current, namespace, name, { token: 'one' });
        await applyConfig(current, namespace, name, makeSpec(secretHeader(name)));
      }
    };
    await Promise.all(Array.from({ length: 20 }, make));

    const { states, metrics, waitForState } = await startSource(current, { namespace });
    await waitFor(() => states()?.size === count, { timeoutMs: 10_000 });
    expect([...(states()?.values() ?? [])].filter(({ kind }) => kind !== 'valid')).toEqual([]);

    // One for each Secret, and one for the schema that the cluster has of the resource.
    expect(await metrics()).toContain(`kubernetes_requests_total{method="GET",code="200"} ${count + 1}\n`);
    const isWatched = /kubernetes_requests_total\{method="WATCH",code="200"\} (\d+)/;
    for (const name of ['config-0', 'config-999']) {
      await applySecret(current, namespace, name, { token: 'two' });
      await waitForState(name, (state) => tokenOf(state) === 'two', 5_000);
    }
    // Of the configs, and of the Secrets.
    expect(Number(isWatched.exec(await metrics())?.[1])).toBe(2);
  });
});

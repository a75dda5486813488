/** What the API server and the collector bear of somebody who may create as many configs as he likes. */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import {
  applyConfig,
  applySecret,
  crd,
  deleteConfig,
  deleteSecret,
  makeSpec,
  secretHeader,
  startSource,
  tokenOf,
} from './harness.ts';
import { allowCollector, kubernetesRules } from './rights.ts';

const flood = 150;
const headersEach = 16;

/** Requests that ended well or not, by method. */
function countRequests(metrics: string, method: string): number {
  const lines = metrics.matchAll(/kubernetes_requests_total\{method="(\w+)",code="\w+"\} (\d+)/g);
  return [...lines].reduce((sum, [, name, n]) => sum + (name === method ? Number(n) : 0), 0);
}

async function makeFlood(current: Cluster, namespace: string): Promise<void> {
  for (let i = 0; i < flood; i++) {
    const headers = Array.from({ length: headersEach }, (_, n) => ({
      name: `X-${n}`,
      valueFrom: { secretKeyRef: { name: `missing-${i}-${n}`, key: 'token' } },
    }));
    await applyConfig(current, namespace, `flood-${i}`, makeSpec({ headers }));
  }
}

describe.skipIf(isClusterMissing())('a namespace full of configs', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('costs two watches and no read for what does not exist, and sees it when it comes', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    await makeFlood(current, namespace);
    await applySecret(current, namespace, 'real', { token: 'one' });
    await applyConfig(current, namespace, 'real', makeSpec(secretHeader('real')));
    const { metrics, states, waitForState } = await startSource(current, {
      namespace,
      rules: { limits: { secretsPerNamespace: 5_000 } },
    });
    await waitFor(() => states()?.size === flood + 1);
    expect(tokenOf(await waitForState('real', ({ kind }) => kind === 'valid'))).toBe('one');
    expect(await waitForState('flood-149', ({ kind }) => kind === 'invalid')).toMatchObject({
      reason: 'SecretNotFound',
    });
    expect(countRequests(await metrics(), 'WATCH')).toBe(2);
    // The schema of the resource, and the one Secret there is.
    expect(countRequests(await metrics(), 'GET')).toBe(2);

    await applySecret(current, namespace, 'missing-149-0', { token: 'x' });
    await waitForState('flood-149', (s) => s.kind === 'invalid' && s.problems.length === headersEach - 1);
    await deleteSecret(current, namespace, 'missing-149-0');
    await waitForState('flood-149', (s) => s.kind === 'invalid' && s.problems.length === headersEach);
    expect(countRequests(await metrics(), 'GET')).toBe(3);
    expect(countRequests(await metrics(), 'WATCH')).toBe(2);
  });

  it('is cut off by the age of its configs, and used again when there is room', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const { namespace, waitForState } = await startSource(current, {
      rules: { limits: { configsPerNamespace: 2, secretsPerNamespace: 1, secretsPerConfig: 1 } },
    });
    for (const name of ['a', 'b']) await applySecret(current, namespace, name, { token: name });
    await applyConfig(current, namespace, 'first', makeSpec(secretHeader('a')));
    await waitForState('first', ({ kind }) => kind === 'valid');
    // Ages are told apart by the second.
    await waitFor(async () => {
      await applyConfig(current, namespace, 'second', makeSpec(secretHeader('b')));
      const state = await waitForState('second', () => true);
      if (state.kind === 'invalid') return true;
      await deleteConfig(current, namespace, 'second');
      return false;
    });
    expect(await waitForState('second', ({ kind }) => kind === 'invalid')).toMatchObject({
      reason: 'TooManySecrets',
      lastGood: null,
      // For the audit entry of the change: nothing ends an export unseen.
      spec: { organization: 'acme', shown: { headers: ['X-Token'] } },
    });
    await applyConfig(current, namespace, 'second', makeSpec(secretHeader('a')));
    await waitForState('second', ({ kind }) => kind === 'valid');
    await waitFor(async () => {
      await applyConfig(current, namespace, 'third', makeSpec());
      const state = await waitForState('third', () => true);
      if (state.kind === 'invalid') return true;
      await deleteConfig(current, namespace, 'third');
      return false;
    });
    expect(await waitForState('third', ({ kind }) => kind === 'invalid')).toMatchObject({
      reason: 'TooManyConfigs',
      problems: [expect.stringContaining('MAX_CONFIGS_PER_NAMESPACE')],
    });
    await deleteConfig(current, namespace, 'first');
    await waitForState('third', ({ kind }) => kind === 'valid');
  });

  it('is followed Secret by Secret where only those may be read, missing ones ever more slowly', {
    timeout: 60_000,
  }, async () => {
    const { current } = cluster;
    const source = await startSource(current);
    const { namespace } = source;
    const narrowed = kubernetesRules.map((rule) =>
      rule.resources.includes('secrets') ? { ...rule, resourceNames: ['real', 'later'] } : rule,
    );
    await allowCollector(current, namespace, false, narrowed);
    await applySecret(current, namespace, 'real', { token: 'one' });
    await applyConfig(current, namespace, 'real', makeSpec(secretHeader('real')));
    await applyConfig(current, namespace, 'later', makeSpec(secretHeader('later')));
    expect(tokenOf(await source.waitForState('real', ({ kind }) => kind === 'valid'))).toBe('one');
    await source.waitForState('later', (s) => s.kind === 'invalid' && s.reason === 'SecretNotFound');
    await applySecret(current, namespace, 'real', { token: 'two' });
    await source.waitForState('real', (state) => tokenOf(state) === 'two');
    // Of the configs, and of the Secret that is there: nothing was opened for the one that is missing.
    expect(await source.metrics()).toContain('kubernetes_requests_total{method="WATCH",code="200"} 2\n');
    await applySecret(current, namespace, 'later', { token: 'three' });
    await source.waitForState('later', (state) => tokenOf(state) === 'three', 30_000);
  });
});

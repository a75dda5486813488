import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import {
  applyConfig,
  applySecret,
  crd,
  deleteConfig,
  deleteSecret,
  makeSpec,
  nameOf,
  secretHeader,
  startSource,
  tokenOf,
} from './harness.ts';

describe.skipIf(isClusterMissing())('configs of a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('reports an empty cluster, then every config as it comes, changes and goes', async () => {
    const { current } = cluster;
    const { namespace, source, states, waitForState } = await startSource(current);
    expect(states()).toEqual(new Map());
    expect(source.previousStatus?.('nobody')).toBeNull();

    const uid = await applyConfig(current, namespace, 'acme', makeSpec({ maxBatchSize: 7 }));
    const made = await waitForState('acme', () => true);
    expect(made).toMatchObject({
      kind: 'valid',
      config: { key: uid, namespace, name: 'acme', generation: 1, spec: { maxBatchSize: 7 } },
    });
    await applyConfig(current, namespace, 'acme', makeSpec({ maxBatchSize: 8 }));
    const changed = await waitForState('acme', (state) => state !== made);
    expect(changed).toMatchObject({ config: { key: uid, generation: 2, spec: { maxBatchSize: 8 } } });

    await deleteConfig(current, namespace, 'acme');
    await waitFor(() => states()?.size === 0);
  });

  it('takes a config that is deleted and made again for another one', async () => {
    const { current } = cluster;
    const { namespace, states } = await startSource(current);
    const before = await applyConfig(current, namespace, 'acme');
    await waitFor(() => states()?.has(before));
    await deleteConfig(current, namespace, 'acme');
    const after = await applyConfig(current, namespace, 'acme');
    await waitFor(() => states()?.has(after));
    expect(after).not.toBe(before);
    expect([...(states()?.keys() ?? [])]).toEqual([after]);
  });

  it('reads what is there already, of all namespaces or of one', async () => {
    const { current } = cluster;
    const [one, other] = [await current.createNamespace(), await current.createNamespace()];
    await applyConfig(current, one, 'a');
    await applyConfig(current, other, 'b');
    const everywhere = await startSource(current, { namespace: one, everywhere: true });
    const names = () => [...(everywhere.states()?.values() ?? [])].map(nameOf);
    expect(names()).toEqual(expect.arrayContaining(['a', 'b']));
    const here = await startSource(current, { namespace: one });
    expect([...(here.states()?.values() ?? [])].map(nameOf)).toEqual(['a']);
  });

  it('says which Secret and key is missing or wrong, never its value, and runs once it is mended', async () => {
    const { current } = cluster;
    const { namespace, waitForState, logs } = await startSource(current);
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    const missing = await waitForState('acme', ({ kind }) => kind === 'invalid');
    expect(missing).toMatchObject({
      reason: 'SecretNotFound',
      problems: [expect.stringContaining(`Secret ${namespace}/siem (spec.headers[0]) does not exist`)],
      lastGood: null,
    });
    await applySecret(current, namespace, 'siem', { other: 'hush-hush' });
    const keyless = await waitForState('acme', (state) => state !== missing);
    expect(keyless).toMatchObject({
      reason: 'SecretKeyNotFound',
      problems: [expect.stringContaining(`Secret ${namespace}/siem (spec.headers[0]) has no key token`)],
    });
    await applySecret(current, namespace, 'siem', { token: 'hush\nhush' });
    const illegal = await waitForState('acme', (state) => state !== keyless);
    expect(illegal).toMatchObject({
      reason: 'InvalidSecret',
      problems: [expect.stringContaining('line break')],
    });
    await applySecret(current, namespace, 'siem', { token: new Uint8Array([0xff, 0xfe]) });
    const binary = await waitForState('acme', (state) => state !== illegal);
    expect(binary).toMatchObject({ reason: 'InvalidSecret', problems: [expect.stringContaining('UTF-8')] });
    await applySecret(current, namespace, 'siem', { token: 'hush-1' });
    const mended = await waitForState('acme', ({ kind }) => kind === 'valid');
    expect(tokenOf(mended)).toBe('hush-1');
    expect(JSON.stringify([logs(), mended, illegal])).not.toContain('hush');
  });

  it('takes a rotated Secret over within five seconds, and keeps the last good one when it is deleted', async () => {
    const { current } = cluster;
    const { namespace, waitForState } = await startSource(current);
    await applySecret(current, namespace, 'siem', { token: 'one' });
    await applyConfig(current, namespace, 'acme', makeSpec(secretHeader('siem')));
    await waitForState('acme', (state) => tokenOf(state) === 'one');
    for (const token of ['two', 'three']) {
      await applySecret(current, namespace, 'siem', { token });
      await waitForState('acme', (state) => tokenOf(state) === token, 5_000);
    }
    await deleteSecret(current, namespace, 'siem');
    const deleted = await waitForState('acme', ({ kind }) => kind === 'invalid', 5_000);
    expect(deleted).toMatchObject({ reason: 'SecretNotFound' });
    expect(tokenOf(deleted)).toBe('three');
    await applySecret(current, namespace, 'siem', { token: 'four' });
    await waitForState('acme', (state) => state.kind === 'valid' && tokenOf(state) === 'four', 5_000);
  });

  it('asks for a retry when the annotation changes, and for nothing when only labels do', async () => {
    const { current } = cluster;
    const { namespace, waitForState, reports } = await startSource(current);
    await applyConfig(current, namespace, 'acme');
    await waitForState('acme', () => true);
    const before = reports();
    await applyConfig(current, namespace, 'acme', makeSpec(), { labels: { team: 'x' } });
    await applyConfig(current, namespace, 'acme', makeSpec(), {
      annotations: { 'auditexport.dev/reconcile-at': 'now' },
    });
    const asked = await waitForState('acme', (s) => s.kind === 'valid' && s.config.reconcileAt === 'now');
    expect(asked).toMatchObject({ config: { generation: 1 } });
    expect(reports()).toBe(before + 1);
  });
});

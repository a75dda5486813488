/** What a real API server, and kubeconform with that server's own schemas, say to every combination of values. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isToolMissing, toolTimeoutMs } from '../tools/build.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { createRestrictedNamespace, findRefusals } from './dryRun.ts';
import { findForeignCrds } from './goModule.ts';
import { combinationArgs, combinations, renderChart } from './helm.ts';
import { findNonconforming, writeSchemas } from './kubeconform.ts';
import { findObject, type ManifestObject, podSpecOf } from './manifest.ts';

const isMissing = isClusterMissing() || isToolMissing('helm') || isToolMissing('kubeconform');

describe.skipIf(isMissing)('the API server', () => {
  const cluster = useCluster({
    prepare: async (current) => {
      await current.applyFiles(...(await findForeignCrds()));
      await createRestrictedNamespace(current, 'restricted');
    },
  });
  let schemas: string;
  const rendered = new Map<string, ManifestObject[]>();
  beforeAll(async () => {
    for (const name of combinations) rendered.set(name, await renderChart(combinationArgs(name)));
    schemas = await mkdtemp(join(tmpdir(), 'audit-export-schemas-'));
    const apiVersions = new Set([...rendered.values()].flat().map(({ apiVersion }) => apiVersion));
    await writeSchemas(cluster.current, schemas, apiVersions);
  }, toolTimeoutMs);
  afterAll(() => rm(schemas, { recursive: true, force: true }));

  test.each(combinations)('takes %s in a restricted namespace, without a warning', async (name) => {
    expect(await findRefusals(cluster.current, 'restricted', rendered.get(name) ?? [])).toEqual([]);
  });

  test.each(combinations)('publishes schemas that %s conforms to', async (name) => {
    expect(await findNonconforming(schemas, rendered.get(name) ?? [])).toEqual([]);
  });

  test('would refuse a misspelt field and a privileged pod, and kubeconform the former', async () => {
    const [deployment] = [findObject(rendered.get('minimal') ?? [], 'Deployment')];
    const misspelt = { ...deployment, spec: { ...(deployment['spec'] as object), replica: 2 } };
    expect(await findRefusals(cluster.current, 'restricted', [misspelt])).toEqual([
      expect.stringContaining('unknown field "spec.replica"'),
    ]);
    expect(await findNonconforming(schemas, [misspelt])).toEqual([expect.stringContaining('replica')]);
    const spec = podSpecOf(deployment);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'x' },
      spec: { ...spec, hostNetwork: true },
    };
    expect((await findRefusals(cluster.current, 'restricted', [pod]))[0]).toContain('violates PodSecurity');
  });
});

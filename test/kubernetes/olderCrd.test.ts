/** A collector that is newer than the CustomResourceDefinition in the cluster: it says so, and goes on. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type Cluster, isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, crd, makeSpec, startSource, type TestSource } from './harness.ts';

interface Schema {
  readonly properties: Record<string, Schema>;
}
interface Definition {
  readonly spec: {
    readonly versions: ReadonlyArray<{ readonly schema: { readonly openAPIV3Schema: Schema } }>;
  };
}

/** As shipped, without these fields of spec and status. */
async function renderWithout(fields: {
  spec?: readonly string[];
  status?: readonly string[];
}): Promise<string> {
  const definition = parse(await readFile(crd, 'utf8')) as Definition;
  const properties = definition.spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
  for (const part of ['spec', 'status'] as const) {
    for (const field of fields[part] ?? []) delete properties[part]?.properties[field];
  }
  return stringify(definition, { aliasDuplicateObjects: false });
}

const status: ExportStatus = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Delivering',
      message: 'Entries get through.',
      lastTransitionTime: '2026-01-31T08:00:00.000Z',
      observedGeneration: 1,
    },
  ],
  lastError: { time: '2026-01-31T07:00:00.000Z', reason: 'Timeout', message: 'It took too long.' },
  deliveredEntries: 3,
  rejectedEntries: 2,
};

describe.skipIf(isClusterMissing())('a definition that lacks fields', () => {
  const cluster = useCluster({
    prepare: async (made) =>
      made.apply(await renderWithout({ spec: ['filter'], status: ['rejectedEntries', 'lastError'] })),
  });

  it('is said once, statuses are written without them, and whole once it is mended', async () => {
    const { current } = cluster;
    const source = await startSource(current);
    const uid = await applyConfig(current, source.namespace, 'acme', makeSpec());
    await source.waitForState('acme', ({ kind }) => kind === 'valid');
    await source.source.writeStatus(uid, status);
    const { lastError, rejectedEntries, ...rest } = status;
    await waitForStatus(current, source, rest);
    expect(messages(source, /is older than this collector/)).toEqual([
      'The CustomResourceDefinition auditexportconfigs.auditexport.dev in the cluster is older than this collector: it lacks spec.filter, status.lastError, status.rejectedEntries. The API server drops such fields from manifests, and statuses are written without them: apply the definition of this version, with `helm upgrade` or `kubectl apply --server-side --force-conflicts -f crds/auditexportconfigs.auditexport.dev.yaml`.',
    ]);

    await current.apply(await readFile(crd, 'utf8'));
    await waitFor(() => messages(source, /has every field/).length > 0, {
      describe: () => JSON.stringify(source.logs()),
    });
    await source.source.writeStatus(uid, status);
    await waitForStatus(current, source, status);
    expect(messages(source, /is older than this collector/)).toHaveLength(1);
  });

  it('is noticed when it is replaced by an older one while the collector runs', async () => {
    const { current } = cluster;
    await current.apply(await readFile(crd, 'utf8'));
    const source = await startSource(current);
    const uid = await applyConfig(current, source.namespace, 'acme', makeSpec());
    await source.waitForState('acme', ({ kind }) => kind === 'valid');
    await source.source.writeStatus(uid, { ...status, rejectedEntries: 1 });
    await waitForStatus(current, source, { ...status, rejectedEntries: 1 });
    expect(messages(source, /is older than this collector/)).toEqual([]);

    await current.apply(await renderWithout({ status: ['rejectedEntries'] }));
    // It takes a moment until the API server goes by it.
    let deliveredEntries = 3;
    const isSaid = async () => {
      await source.source.writeStatus(uid, { ...status, deliveredEntries: ++deliveredEntries });
      return messages(source, /lacks status\.rejectedEntries\./).length === 1;
    };
    await waitFor(isSaid, { describe: () => JSON.stringify(source.logs()) });
    const { rejectedEntries, ...rest } = status;
    await waitForStatus(current, source, { ...rest, deliveredEntries });
  });
});

function messages(source: TestSource, pattern: RegExp): string[] {
  return source
    .logs()
    .map((line) => String(line['msg']))
    .filter((message) => pattern.test(message));
}

async function waitForStatus(cluster: Cluster, source: TestSource, wanted: object): Promise<void> {
  const path = `/apis/auditexport.dev/v1/namespaces/${source.namespace}/auditexportconfigs/acme`;
  let last: unknown;
  await waitFor(
    async () => {
      last = (await cluster.request({ path })).body['status'];
      return isEqual(last, wanted);
    },
    { describe: () => JSON.stringify([last, source.logs()]) },
  );
}

function isEqual(a: unknown, b: unknown): boolean {
  const sort = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([x], [y]) => (x < y ? -1 : 1)))
      : value;
  return JSON.stringify(a, sort) === JSON.stringify(b, sort);
}

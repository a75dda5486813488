/** Asks the API server what it would say, and changes nothing. */
import type { Cluster } from '../tools/cluster.ts';
import type { KubeAnswer } from '../tools/kubeRequest.ts';
import { type ManifestObject, podSpecOf } from './manifest.ts';

/**
 * Every object by itself, with unknown and doubled fields refused; of what makes pods, one such pod as well, since
 * pod security refuses nothing else. One line for each refusal and each warning.
 */
export async function findRefusals(
  cluster: Cluster,
  namespace: string,
  objects: readonly ManifestObject[],
): Promise<string[]> {
  const lines: string[] = [];
  for (const object of objects) {
    lines.push(...describe(object, await create(cluster, namespace, object)));
    const spec = podSpecOf(object);
    if (spec === undefined || object.kind === 'Pod') continue;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: object.metadata.name }, spec };
    lines.push(...describe(pod, await create(cluster, namespace, pod)));
  }
  return lines;
}

function describe(object: ManifestObject, { status, body, warnings }: KubeAnswer): string[] {
  const name = `${object.kind} ${object.metadata.name}`;
  return [
    // What is there already would be changed; it was judged all the same.
    ...(status === 201 || status === 409 ? [] : [`${name}: ${status} ${body['message']}`]),
    ...warnings.map((warning) => `${name}: ${warning}`),
  ];
}

const paths = new WeakMap<
  Cluster,
  Map<string, Promise<ReadonlyArray<{ name: string; kind: string; namespaced: boolean }>>>
>();

async function create(cluster: Cluster, namespace: string, object: ManifestObject): Promise<KubeAnswer> {
  const { apiVersion, kind } = object;
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const known = paths.get(cluster) ?? new Map();
  paths.set(cluster, known);
  if (!known.has(group)) {
    known.set(
      group,
      cluster.request({ path: group }).then(({ body }) => body['resources'] ?? []),
    );
  }
  const resources: ReadonlyArray<{ name: string; kind: string; namespaced: boolean }> =
    await known.get(group);
  const resource = resources.find((each) => each.kind === kind && !each.name.includes('/'));
  if (resource === undefined) throw new Error(`The cluster does not serve ${kind} of ${apiVersion}.`);
  const scope = resource.namespaced ? `/namespaces/${namespace}` : '';
  const { namespace: _, ...metadata } = object.metadata;
  return cluster.request({
    method: 'POST',
    path: `${group}${scope}/${resource.name}?dryRun=All&fieldValidation=Strict&fieldManager=tests`,
    body: { ...object, metadata },
  });
}

/** A namespace that takes only pods of the level "restricted", and warns of what would make others. */
export async function createRestrictedNamespace(cluster: Cluster, name: string): Promise<string> {
  await cluster.apply(`apiVersion: v1
kind: Namespace
metadata:
  name: ${name}
  labels:
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
`);
  return name;
}

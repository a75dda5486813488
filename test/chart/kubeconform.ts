/** Asks kubeconform, with the schemas that the API server itself publishes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { provideTool } from '../tools/build.ts';
import type { Cluster } from '../tools/cluster.ts';
import type { ManifestObject } from './manifest.ts';

type Schema = { [keyword: string]: unknown };

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Writes a schema for each kind of the group versions, closed where the API is. */
export async function writeSchemas(
  cluster: Cluster,
  folder: string,
  apiVersions: Iterable<string>,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const apiVersion of apiVersions) {
    const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`;
    const { status, body } = await cluster.request({ path: `/openapi/v3/${path}` });
    if (status !== 200) throw new Error(`The cluster does not serve ${apiVersion} (${status}).`);
    const { schemas } = body['components'] as { readonly schemas: Record<string, Schema> };
    const definitions = close(
      JSON.parse(JSON.stringify(schemas).replaceAll('#/components/schemas/', '#/definitions/')),
    );
    for (const [name, schema] of Object.entries(schemas)) {
      const kinds = (schema['x-kubernetes-group-version-kind'] ?? []) as readonly GroupVersionKind[];
      for (const { group, version, kind } of kinds) {
        if ((group === '' ? version : `${group}/${version}`) !== apiVersion) continue;
        const file = [kind.toLowerCase(), ...(group === '' ? [] : [group.split('.')[0]]), version].join('-');
        await writeFile(
          join(folder, `${file}.json`),
          JSON.stringify({ $ref: `#/definitions/${name}`, definitions }),
        );
      }
    }
  }
}

/** An object that lists its fields has no others, unless it says so. */
function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== 'object' || value === null) return value;
  const node = Object.fromEntries(Object.entries(value).map(([key, child]) => [key, close(child)])) as Schema;
  const isObject = node['type'] === 'object' && typeof node['properties'] === 'object';
  if (isObject && !('additionalProperties' in node) && !node['x-kubernetes-preserve-unknown-fields']) {
    node['additionalProperties'] = false;
  }
  return node;
}

/** One line for each object that does not conform; empty when all do. */
export async function findNonconforming(
  folder: string,
  objects: readonly ManifestObject[],
): Promise<string[]> {
  const location = `${folder}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;
  const child = spawn(await provideTool('kubeconform'), [
    '-strict',
    '-output=json',
    '-verbose',
    `-schema-location=${location}`,
    '-',
  ]);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  await once(child, 'close');
  if (stdout === '') throw new Error(`kubeconform says: ${stderr}`);
  const { resources } = JSON.parse(stdout) as {
    readonly resources: ReadonlyArray<{ kind: string; name: string; status: string; msg: string }>;
  };
  if (resources.length !== objects.length) {
    throw new Error(`kubeconform has seen ${resources.length} of ${objects.length} objects.`);
  }
  return resources
    .filter(({ status }) => status !== 'statusValid')
    .map(({ kind, name, status, msg }) => `${kind} ${name}: ${status} ${msg}`);
}

/** docs/examples/sidecar.yaml with a product in it, on a real node. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseObjects } from '../chart/helm.ts';
import { findObject, type ManifestObject, type PodSpec, podSpecOf } from '../chart/manifest.ts';
import { applySecret } from '../kubernetes/harness.ts';
import type { Node } from '../tools/node.ts';
import type { Release } from './release.ts';

const example = await readFile(join(import.meta.dirname, '../../docs/examples/sidecar.yaml'), 'utf8');

export interface SidecarExample {
  /** As it stands there, but for image, endpoint and role. */
  readonly deployment: ManifestObject & { readonly spec: object };
  readonly pod: PodSpec;
}

/** Makes its Secrets and its ConfigMap in the namespace of the release, of which nothing is installed. */
export async function prepareSidecar(node: Node, release: Release, product: string): Promise<SidecarExample> {
  const { namespace, databaseUrls, endpoint, role, kubectl } = release;
  await applySecret(node.cluster, namespace, 'product-audit', databaseUrls);
  await applySecret(node.cluster, namespace, 'acme-siem', { authorization: 'Bearer s3cr3t' });
  const text = example
    .replace('https://otel.example.com:4318', endpoint)
    .replace('value: audit_export }', `value: "${role}" }`)
    .replace('product.example.com/product:1', 'audit-export:0.1.0');
  const objects = parseObjects(text);
  const configMap = findObject(objects, 'ConfigMap');
  await kubectl('apply -f -', JSON.stringify(configMap));
  const deployment = findObject(objects, 'Deployment') as SidecarExample['deployment'];
  const pod = podSpecOf(deployment);
  if (pod === undefined) throw new Error('The example makes no pods.');
  // The product writes as the owner of the schema.
  Object.assign(pod.containers[0] ?? {}, {
    args: ['--input-type=module', '--eval', product],
    env: [{ name: 'PRODUCT_URL', value: databaseUrls.owner }],
  });
  return { deployment, pod };
}

const write = `
  import pg from 'pg';
  const client = new pg.Client({ connectionString: process.env.PRODUCT_URL });
  await client.connect();
  const write = (text, count) => client.query(
    \`insert into audit.entries (organization, event_type, metadata)
     select 'acme', 'flow.created', jsonb_build_object('said', $1::text) from generate_series(1, $2::int)\`,
    [text, count],
  );`;

/** Writes from its first moment on, 30 entries when it is told to end, and lives for as long as a request takes that is under way. */
export const service = `${write}
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  let isEnding = false;
  process.on('SIGTERM', () => { isEnding = true; });
  await write('first', 1);
  while (!isEnding) { await write('working', 1); await pause(50); }
  await write('last', 30);
  await pause(2_000);
  await client.end();`;

/** Writes 40 entries, and ends. */
export const job = `${write}
  await write('job', 40);
  await client.end();`;

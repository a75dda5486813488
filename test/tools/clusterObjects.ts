import { parseAllDocuments } from 'yaml';
import { waitFor } from '../../tools/waitFor.ts';
import type { KubeAnswer, KubeRequest, KubeRequester } from './kubeRequest.ts';

interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/**
 * Server-side applies every document of `yaml`, and waits until its CRDs are served. What has no namespace goes into `default`.
 *
 * @throws Error with the server's message when it refuses one.
 */
export async function applyYaml(requester: KubeRequester, yaml: string): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const object: KubeObject | null = document.toJS();
    if (object === null) continue;
    const path = await pathOf(requester, object);
    await demand(requester, {
      method: 'PATCH',
      path: `${path}?fieldManager=tests&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
    if (object.kind === 'CustomResourceDefinition') await waitUntilServed(requester, path);
  }
}

/** Where the object lives, by the server's own list of what it serves. */
async function pathOf(requester: KubeRequester, object: KubeObject): Promise<string> {
  const { apiVersion, kind, metadata } = object;
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { body } = await demand(requester, { path: group });
  const resources = body['resources'] as ReadonlyArray<{ name: string; kind: string; namespaced: boolean }>;
  const resource = resources.find((each) => each.kind === kind && !each.name.includes('/'));
  if (resource === undefined) throw new Error(`The cluster does not serve ${kind} of ${apiVersion}.`);
  const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
  return `${group}${namespace}/${resource.name}/${metadata.name}`;
}

async function waitUntilServed(requester: KubeRequester, path: string): Promise<void> {
  await waitFor(async () => {
    const { body } = await demand(requester, { path });
    const { conditions } = body['status'] as {
      readonly conditions: ReadonlyArray<{ type: string; status: string }> | null;
    };
    return conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  });
}

async function demand(requester: KubeRequester, request: KubeRequest): Promise<KubeAnswer> {
  const answer = await requester.request(request);
  if (answer.status < 300) return answer;
  throw new Error(
    `${request.method ?? 'GET'} ${request.path} got ${answer.status}: ${answer.body['message']}`,
  );
}

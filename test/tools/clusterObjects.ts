import {
  ApiextensionsV1Api,
  type KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
} from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';
import { waitFor } from './waitFor.ts';

/** Server-side applies every document of `text`, and waits until its CRDs are served. @throws ApiException on a refusal. */
export async function applyYaml(client: KubeConfig, text: string): Promise<void> {
  const objects = parseAllDocuments(text).flatMap((document): KubernetesObject[] => {
    const object = document.toJS();
    return object === null ? [] : [object];
  });
  // One that has just been made does not know the kinds of CRDs that came later.
  const api = KubernetesObjectApi.makeApiClient(client);
  for (const object of objects) {
    await api.patch(object, undefined, undefined, 'tests', true, PatchStrategy.ServerSideApply);
    if (object.kind === 'CustomResourceDefinition')
      await waitUntilServed(client, object.metadata?.name ?? '');
  }
}

async function waitUntilServed(client: KubeConfig, name: string): Promise<void> {
  const api = client.makeApiClient(ApiextensionsV1Api);
  await waitFor(async () => {
    const { status } = await api.readCustomResourceDefinition({ name });
    return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  });
}

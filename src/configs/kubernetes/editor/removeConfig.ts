/** Deletes one config, as it was read and no other: neither one made anew under its name nor one changed since. */
import type { EditorResult } from '../../configEditor.ts';
import type { ApiClient } from '../apiClient.ts';
import type { KubeObject } from '../kubeObject.ts';
import { collectionPath } from '../resource.ts';
import { isVersionConflict, toRefusal } from './describeRefusal.ts';
import { readOwnership } from './fieldOwners.ts';

export type Removal =
  | EditorResult<void>
  /** Another version now: read it again. */
  | { readonly kind: 'conflict' };

/** Refused where another manager says whose config it is: it would come back with the next sync. */
export async function removeConfig(
  api: ApiClient,
  object: KubeObject,
  signal: AbortSignal,
): Promise<Removal> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const manager = readOwnership(object).get('organization')?.manager ?? null;
  if (manager !== null) {
    const reason = `${namespace}/${name} is managed by ${manager}: delete it there.`;
    return { kind: 'refused', reason };
  }
  const value = { propagationPolicy: 'Background', preconditions: { uid, resourceVersion } };
  const answer = await api.request({
    method: 'DELETE',
    path: `${collectionPath(namespace)}/${name}`,
    body: { contentType: 'application/json', value },
    signal,
  });
  if (answer.kind === 'ok') return { kind: 'ok', value: undefined };
  if (isVersionConflict(answer)) return { kind: 'conflict' };
  return toRefusal(answer, { verb: 'delete', resource: 'configs', namespace });
}

/** One AuditExportConfig of the cluster as the editor works with it. */

import { valueAt } from '../../../basics/valueAt.ts';
import type { ConfigState } from '../../configSource.ts';
import type { StoredManifest } from '../../editor/manifestStore.ts';
import { listHeaders, listUnits, unitOfHeader } from '../../editor/specUnits.ts';
import { parseManifest } from '../../parseManifest.ts';
import { reconcileAtAnnotation } from '../../schema.ts';
import { readClusterStatus } from '../clusterStatus.ts';
import { isBeingDeleted, type KubeObject } from '../kubeObject.ts';
import { isEndpointTyped, readOwnership } from './fieldOwners.ts';

/** `state`: how the source has judged it; null: not yet. */
export function toStored(object: KubeObject, state: ConfigState | null): StoredManifest<KubeObject> {
  const { namespace, name, uid, generation, annotations } = object.metadata;
  return {
    id: { namespace, name },
    key: uid,
    // The generation counts changes of the spec alone; a config that is deleted and created again has another uid.
    revision: `${uid}.${generation}`,
    spec: object.raw['spec'],
    isEndpointTyped: isEndpointTyped(object),
    reconcileAt: annotations[reconcileAtAnnotation],
    problems: listProblems(object, state),
    owners: listOwners(object),
    readOnly: isBeingDeleted(object)
      ? `${namespace}/${name} is being deleted and waits for finalizers that others have set: it can no longer be changed.`
      : null,
    status: readClusterStatus(object),
    source: object,
  };
}

export function organizationOf({ raw }: KubeObject): string | null {
  const organization = valueAt(raw, ['spec', 'organization']);
  return typeof organization === 'string' ? organization : null;
}

/**
 * `headers.2` for the third header of the spec as it stands, `headers` where none can be added; the other paths are those
 * of the fields.
 */
function listOwners(object: KubeObject): Map<string, string> {
  const spec = object.raw['spec'];
  const paths = new Map([...listUnits(spec).keys()].map((unit) => [unit, unit]));
  for (const [index, { name }] of listHeaders(spec).entries())
    paths.set(unitOfHeader(name), `headers.${index}`);
  const owners = new Map<string, string>();
  for (const [unit, { manager }] of readOwnership(object)) {
    if (manager !== null) owners.set(paths.get(unit) ?? unit, manager);
  }
  return owners;
}

function listProblems(object: KubeObject, state: ConfigState | null): readonly string[] {
  const parsed = parseManifest(object.raw);
  if (!parsed.ok) return parsed.problems;
  const isCurrent = state?.kind === 'invalid' && state.generation === object.metadata.generation;
  return isCurrent ? state.problems : [];
}

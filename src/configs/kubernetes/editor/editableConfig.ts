/** One AuditExportConfig of the cluster as the page shows it. */

import type { EditableConfig } from '../../configEditor.ts';
import type { ConfigState } from '../../configSource.ts';
import { toEditableSpec } from '../../editor/editableSpec.ts';
import { isMap } from '../../editor/isMap.ts';
import { listHeaders, listUnits, unitOfHeader } from '../../editor/specUnits.ts';
import { parseManifest } from '../../parseManifest.ts';
import { readClusterStatus } from '../clusterStatus.ts';
import { isBeingDeleted, type KubeObject } from '../kubeObject.ts';
import { readOwnership } from './fieldOwners.ts';

/** `state`: how the source has judged it; null: not yet. */
export function toEditableConfig(object: KubeObject, state: ConfigState | null): EditableConfig {
  const { namespace, name, uid } = object.metadata;
  return {
    id: { namespace, name },
    key: uid,
    revision: revisionOf(object),
    spec: toEditableSpec(object.raw['spec'], name),
    problems: listProblems(object, state),
    owners: listOwners(object),
    readOnly: isBeingDeleted(object)
      ? `${namespace}/${name} is being deleted and waits for the finalizers of others: nothing of it can be changed any more.`
      : null,
    status: readClusterStatus(object),
  };
}

/** The generation counts changes of the spec, and no others; a config made anew has another uid. */
export function revisionOf({ metadata }: KubeObject): string {
  return `${metadata.uid}.${metadata.generation}`;
}

export function organizationOf({ raw }: KubeObject): string | null {
  const organization = isMap(raw['spec']) ? raw['spec']['organization'] : undefined;
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

/**
 * Who owns which field of a spec, from metadata.managedFields.
 *
 * An `Update` (kubectl apply without --server-side, kubectl create, Helm 3) also owns what the API server filled in as
 * defaults, since it was there after the write. Its author has not said these, and will not say them again: such an
 * ownership is not shown, and gives way. `Apply` owns what it says, no more.
 *
 * Who applies without the server (kubectl, Helm 3) sends a list as a whole: a header that the page adds to theirs would be
 * gone with their next apply, and the stream would go on without it. All headers count as theirs then.
 */

import { isMap } from '../../../basics/isMap.ts';
import { toFriendlyName } from '../../editor/describeOwner.ts';
import { headerOf, isDefault, listUnits, pathOf } from '../../editor/specUnits.ts';
import type { KubeObject } from '../kubeObject.ts';
import { pageFieldManager } from '../resource.ts';

export interface Ownership {
  /** Applied by the page. */
  isOurs: boolean;
  /** As people know it; null: nobody else has said it. */
  manager: string | null;
  /** Another manager owns it without having said it. */
  isNominal: boolean;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const clientSideApply = 'kubectl-client-side-apply';

/** The list of headers as a whole; its manager may be absent where single headers have one. */
export const headerList = 'headers';

/** Of each unit of the spec as it stands, and of the list of headers. */
export function readOwnership(object: KubeObject): Map<string, Ownership> {
  const units = listUnits(object.raw['spec']);
  const said = readLastApplied(object);
  const owned = new Map<string, Ownership>();
  for (const unit of [...units.keys(), headerList]) {
    owned.set(unit, { isOurs: false, manager: null, isNominal: false });
  }
  for (const entry of listEntries(object)) {
    if (replacesHeaders(entry, said)) {
      for (const [unit, ownership] of owned) {
        if (isOfHeaders(unit)) ownership.manager ??= toFriendlyName(entry.manager);
      }
    }
    for (const [unit, ownership] of owned) {
      if (unit === headerList || !hasUnit(entry.fields, unit)) continue;
      if (entry.manager === pageFieldManager && entry.isApply) ownership.isOurs = true;
      else if (isSaid(entry, unit, units.get(unit), said))
        ownership.manager ??= toFriendlyName(entry.manager);
      else ownership.isNominal = true;
    }
  }
  return owned;
}

/** Whether the endpoint was typed on the page, and nobody else has said it since. */
export function isEndpointTyped(object: KubeObject): boolean {
  const ownership = readOwnership(object).get('endpoint');
  return ownership?.isOurs === true && ownership.manager === null;
}

interface Entry {
  readonly manager: string;
  readonly isApply: boolean;
  readonly fields: unknown;
}

/** Of the object itself, not of its status. */
function listEntries({ raw }: KubeObject): Entry[] {
  const metadata = isMap(raw['metadata']) ? raw['metadata'] : {};
  const entries = Array.isArray(metadata['managedFields']) ? metadata['managedFields'].filter(isMap) : [];
  return entries
    .filter(({ subresource }) => subresource === undefined || subresource === '')
    .map(({ manager, operation, fieldsV1 }) => ({
      manager: typeof manager === 'string' ? manager : '',
      isApply: operation === 'Apply',
      fields: isMap(fieldsV1) ? fieldsV1['f:spec'] : undefined,
    }));
}

/** What `kubectl apply` was given last; null: it keeps no record here. */
function readLastApplied({ metadata }: KubeObject): ReadonlyMap<string, unknown> | null {
  try {
    const applied: unknown = JSON.parse(metadata.annotations[lastApplied] ?? 'null');
    if (!isMap(applied)) return null;
    const spec = applied['spec'];
    const units = [...listUnits(spec)].filter(([unit]) => hasPath(spec, unit));
    if (isMap(spec) && spec['headers'] !== undefined) units.push([headerList, spec['headers']]);
    return new Map(units);
  } catch {
    return null;
  }
}

function isSaid(
  { manager, isApply }: Entry,
  unit: string,
  value: unknown,
  said: ReadonlyMap<string, unknown> | null,
): boolean {
  if (isApply) return true;
  // The page's own name, used otherwise than by its applies: an earlier write of a person who borrowed it.
  if (manager === pageFieldManager) return false;
  if (manager === clientSideApply && said !== null) return said.has(unit);
  return !isDefault(unit, value);
}

function isOfHeaders(unit: string): boolean {
  return unit === headerList || headerOf(unit) !== null;
}

/** kubectl create, edit, patch and the like are done once, and do not come again. */
function replacesHeaders(
  { manager, isApply, fields }: Entry,
  said: ReadonlyMap<string, unknown> | null,
): boolean {
  if (isApply || manager === pageFieldManager) return false;
  if (manager === clientSideApply && said !== null) return said.has(headerList);
  if (manager !== clientSideApply && manager.startsWith('kubectl')) return false;
  const list = isMap(fields) ? fields['f:headers'] : undefined;
  return isMap(list) && Object.keys(list).some((key) => readKey(key) !== null);
}

function hasPath(spec: unknown, unit: string): boolean {
  // Only what stands in the list is there.
  if (headerOf(unit) !== null) return true;
  let found = spec;
  for (const name of pathOf(unit)) found = isMap(found) ? found[name] : undefined;
  return found !== undefined;
}

function hasUnit(fields: unknown, unit: string): boolean {
  const header = headerOf(unit);
  const path = pathOf(unit).map((name) => `f:${name}`);
  let found = fields;
  for (const key of path) found = isMap(found) ? found[key] : undefined;
  if (header === null) return found !== undefined;
  return isMap(found) && Object.keys(found).some((key) => readKey(key) === header);
}

/** `k:{"name":"Authorization"}` → `Authorization`. */
function readKey(key: string): string | null {
  if (!key.startsWith('k:')) return null;
  try {
    const parsed: unknown = JSON.parse(key.slice(2));
    return isMap(parsed) && typeof parsed['name'] === 'string' ? parsed['name'] : null;
  } catch {
    return null;
  }
}

/**
 * Tells who owns which field of a spec, from metadata.managedFields.
 *
 * An `Update` (kubectl apply without --server-side, kubectl create, Helm 3) also owns the defaults that the API server filled
 * in, since they were there after the write. Its author has not set them, and will not set them again: such an ownership is
 * not shown, and gives way. `Apply` owns what it says, no more.
 *
 * A client-side apply (kubectl, Helm 3) sends a list as a whole: a header that the page added to the list would be gone with
 * the next apply, and the stream would continue without it. All headers count as owned then.
 */

import { isMap } from '../../../basics/isMap.ts';
import { valueAt } from '../../../basics/valueAt.ts';
import { toFriendlyName } from '../../editor/describeOwner.ts';
import { headerOf, isDefault, listUnits, pathOf } from '../../editor/specUnits.ts';
import type { KubeObject } from '../kubeObject.ts';
import { pageFieldManager } from '../resource.ts';

export interface Ownership {
  /** Applied by the page. */
  isOurs: boolean;
  /** The name people know it by; null: nobody else has set the field. */
  manager: string | null;
  /** Another manager owns it without having set it. */
  isNominal: boolean;
}

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const clientSideApply = 'kubectl-client-side-apply';

/** The list of headers as a whole; its manager may be absent where single headers have one. */
export const headerList = 'headers';

/** Reads who owns each unit of the present spec, and the list of headers. */
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

/** Whether the endpoint was typed on the page, and nobody else has set it since. */
export function isEndpointTyped(object: KubeObject): boolean {
  const ownership = readOwnership(object).get('endpoint');
  return ownership?.isOurs === true && ownership.manager === null;
}

interface Entry {
  readonly manager: string;
  readonly isApply: boolean;
  readonly fields: unknown;
}

/** Lists the managers of the object itself, not of its status. */
function listEntries({ raw }: KubeObject): Entry[] {
  const entries = valueAt(raw, ['metadata', 'managedFields']);
  return (Array.isArray(entries) ? entries.filter(isMap) : [])
    .filter(({ subresource }) => subresource === undefined || subresource === '')
    .map(({ manager, operation, fieldsV1 }) => ({
      manager: typeof manager === 'string' ? manager : '',
      isApply: operation === 'Apply',
      fields: isMap(fieldsV1) ? fieldsV1['f:spec'] : undefined,
    }));
}

/** The units of the last `kubectl apply`; null: it left no record. */
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
  // The page's name on anything but its applies: somebody has borrowed it for a write of their own.
  if (manager === pageFieldManager) return false;
  if (manager === clientSideApply && said !== null) return said.has(unit);
  return !isDefault(unit, value);
}

function isOfHeaders(unit: string): boolean {
  return unit === headerList || headerOf(unit) !== null;
}

/** Whether the next write of that manager replaces the list; kubectl create, edit and patch run only once. */
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
  // A header that has a unit is in the list.
  if (headerOf(unit) !== null) return true;
  return valueAt(spec, pathOf(unit)) !== undefined;
}

function hasUnit(fields: unknown, unit: string): boolean {
  const header = headerOf(unit);
  const path = pathOf(unit).map((name) => `f:${name}`);
  const found = valueAt(fields, path);
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

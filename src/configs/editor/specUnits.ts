/**
 * A spec as the parts that are changed and owned one by one: each field, and each header by its name. An absent field has its
 * default, so that two specs that mean the same have the same units.
 */

import { isMap } from '../../basics/isMap.ts';
import { spell } from '../../basics/spell.ts';
import { valueAt } from '../../basics/valueAt.ts';
import { fields } from '../fields.ts';

/** By path, such as `endpoint`, `filter.projects`, `headers/Authorization`; a unit without a default may be missing. */
export type SpecUnits = ReadonlyMap<string, unknown>;

const headerPrefix = 'headers/';

const defaults: ReadonlyMap<string, unknown> = new Map(
  fields.map(({ path, defaultValue }) => [path, defaultValue]),
);

/** The spec may be wrong: what is not a field, or not a header with a name, is left out. */
export function listUnits(spec: unknown): Map<string, unknown> {
  const units = new Map<string, unknown>();
  for (const { path, input, defaultValue } of fields) {
    if (input === 'headers') {
      for (const header of listHeaders(spec)) units.set(unitOfHeader(header.name), header);
      continue;
    }
    const value = valueAt(spec, path.split('.')) ?? defaultValue;
    if (value !== undefined) units.set(path, value);
  }
  return units;
}

export function unitOfHeader(name: string): string {
  return headerPrefix + name;
}

/** The name of the header; null: the unit is a field. */
export function headerOf(unit: string): string | null {
  return unit.startsWith(headerPrefix) ? unit.slice(headerPrefix.length) : null;
}

/** The fields that lead to the unit; of a header, to the list. */
export function pathOf(unit: string): string[] {
  return headerOf(unit) === null ? unit.split('.') : ['headers'];
}

export function isDefault(unit: string, value: unknown): boolean {
  return isSameValue(defaults.get(unit), value);
}

/** A spec that says just these. */
export function buildSpec(units: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const spec: Record<string, unknown> = {};
  for (const [unit, value] of units) {
    if (headerOf(unit) !== null) {
      spec['headers'] = [...(Array.isArray(spec['headers']) ? spec['headers'] : []), value];
      continue;
    }
    const [top = '', inner] = pathOf(unit);
    if (inner === undefined) spec[top] = value;
    else spec[top] = { ...(isMap(spec[top]) ? spec[top] : {}), [inner]: value };
  }
  return spec;
}

export interface UnitChanges {
  /** New ones too. */
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

export function compareUnits(before: SpecUnits, after: SpecUnits): UnitChanges {
  return {
    changed: [...after]
      .filter(([unit, value]) => !isSameValue(before.get(unit), value))
      .map(([unit]) => unit),
    removed: [...before.keys()].filter((unit) => !after.has(unit)),
  };
}

/** Whatever the order of fields. */
function isSameValue(a: unknown, b: unknown): boolean {
  return spell(a) === spell(b);
}

export interface RawHeader {
  readonly name: string;
  readonly value?: unknown;
  readonly valueFrom?: unknown;
}

export function listHeaders(spec: unknown): RawHeader[] {
  const headers = isMap(spec) ? spec['headers'] : undefined;
  if (!Array.isArray(headers)) return [];
  return headers.filter((header): header is RawHeader => isMap(header) && typeof header['name'] === 'string');
}

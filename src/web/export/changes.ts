/** What differs between two specs, without a secret: for the audit entry of a change, and for the loser of two who saved at once. */
import type { ConfigDraft, EditableSpec } from '../../configs/configEditor.ts';
import { toManifestValue } from '../../configs/editor/planDraft.ts';
import { type FieldPath, fields } from '../../configs/fields.ts';
import { withoutQuery } from './addresses.ts';

export interface Change {
  /** Path in the spec. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** `toSpec` null: it is gone; `fromSpec` null: it is new. Values that are the same are left out. */
export function findChanges(from: EditableSpec | null, to: EditableSpec | null): Change[] {
  const before = flatten(from);
  const after = flatten(to);
  const changes = [...new Set([...before.keys(), ...after.keys()])]
    .map((field) => ({ field, from: before.get(field) ?? null, to: after.get(field) ?? null }))
    .filter(({ from: a, to: b }) => JSON.stringify(a) !== JSON.stringify(b));
  if (from !== null && to !== null && isOnlyQueryChanged(from.endpoint, to.endpoint)) {
    const shown = withoutQuery(to.endpoint);
    changes.unshift({ field: 'endpoint', from: shown, to: `${shown} (another query)` });
  }
  return changes;
}

/** What a draft asks for, as it will be shown once it is saved. */
export function specOf(draft: ConfigDraft): EditableSpec {
  const values = fields.map((field) => {
    const typed = draft[field.path];
    return [field.path, field.input === 'secret' ? typed !== 'none' : toManifestValue(field, typed)];
  });
  const headers = draft.headers.map(({ name }) => ({ name, source: 'page' as const, reference: null }));
  return { ...(Object.fromEntries(values) as EditableSpec), headers };
}

function isOnlyQueryChanged(from: string, to: string): boolean {
  return from !== to && withoutQuery(from) === withoutQuery(to);
}

/** For the entry's metadata: names of fields, and the old and new value of each. */
export function describeChanges(
  changes: readonly Change[],
  newValues: readonly string[],
): Record<string, unknown> {
  return {
    changed: [...changes.map(({ field }) => field), ...newValues.map((name) => `${name} (value)`)],
    changes: Object.fromEntries(changes.map(({ field, from, to }) => [field, { from, to }])),
  };
}

function flatten(spec: EditableSpec | null): Map<string, unknown> {
  if (spec === null) return new Map();
  const recorded = fields.filter(({ path }) => path !== 'organization');
  return new Map(recorded.map(({ path, recordedAs }) => [recordedAs, recordValue(path, spec)]));
}

function recordValue(path: FieldPath, spec: EditableSpec): unknown {
  if (path === 'endpoint') return withoutQuery(spec.endpoint);
  return path === 'headers' ? spec.headers.map(({ name }) => name) : (spec[path] ?? '');
}

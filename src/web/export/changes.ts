/** What differs between two specs, without a secret: for the audit entry of a change, and for the second of two who save at once. */
import type { ConfigDraft, EditableConfig, EditableSpec } from '../../configs/configEditor.ts';
import { toManifestValue } from '../../configs/editor/planDraft.ts';
import { type FieldPath, fields, findField, type SecretPath, secretPaths } from '../../configs/fields.ts';
import { findLastChange } from '../../database/exportChanges.ts';
import { formatRelative } from '../format/time.ts';
import type { ConflictView } from '../views/formViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, printConfigId, withoutQuery } from './addresses.ts';
import { type ExportForm, toDraft } from './exportForm.ts';

export interface Change {
  /** Path in the spec. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** `from` null: the config is new; `to` null: it is gone. Equal values are left out. */
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

/** For the entry's metadata: names of fields, and the old and new value of each; of what is never shown, the name alone. */
export function describeChanges(
  from: EditableSpec | null,
  to: EditableSpec,
  draft: Pick<ConfigDraft, 'headers' | SecretPath>,
): Record<string, unknown> {
  const changes = findChanges(from, to);
  const newValues = [
    ...draft.headers.filter(({ value }) => value !== 'kept').map(({ name }) => `headers.${name}`),
    ...secretPaths
      .filter((path) => typeof draft[path] === 'object')
      .map((path) => findField(path).recordedAs),
  ];
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

/** What someone else saved while the form was open, against what was typed. */
export async function makeConflict(
  { context, organization }: Visit,
  current: EditableConfig,
  form: ExportForm,
): Promise<ConflictView> {
  const last = await findLastChange(context.db, organization, printConfigId(current.id));
  const who =
    last === null
      ? 'Someone saved this destination after you opened it.'
      : `${last.actorName ?? last.actorId ?? 'Someone'} saved this destination ${formatRelative(last.occurredAt, new Date())}, after you opened it.`;
  // What was typed, even where the field has a new owner since.
  const typed = specOf(toDraft(form, { organization, current: { ...current, owners: new Map() } }));
  return {
    currentUrl: destinationUrl(organization, current.id),
    who,
    differences: findChanges(current.spec, typed).map(({ field, from, to }) => ({
      label: fields.find(({ recordedAs }) => recordedAs === field)?.label ?? field,
      stored: show(from),
      typed: show(to),
    })),
  };
}

function show(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  return text === '' ? 'none' : text;
}

/**
 * The form of a destination: reads what a browser posted, makes a draft of it, and makes the form of a stored config. Inputs
 * are named by paths in the spec, as are the problems of an editor.
 *
 *   body → [readForm] → ExportForm → [toDraft] → ConfigEditor
 *
 * Not here: whether a value is valid (configs/schema.ts), what the form looks like (formView.ts).
 */
import { z } from 'zod';
import type { ConfigDraft, EditableConfig, EditableSpec } from '../../configs/configEditor.ts';
import { type Field, type FieldPath, fields, type SecretPath, secretPaths } from '../../configs/fields.ts';
import { Secret } from '../../model/secret.ts';
import { repairRows } from './doctor/headerMistakes.ts';
import { findPresetHeader } from './presets/presets.ts';
import { completeHeaders } from './setup/completeHeaders.ts';

/** As typed. */
export interface ExportForm {
  /** By the name of the input: one for each field, and those of the form's own. A check that is on is `true`. */
  readonly values: Readonly<Record<FieldPath | OwnInput, string>>;
  readonly headers: readonly HeaderRow[];
  readonly clientKey: Secret;
  /** Headers whose value comes from what was pasted, since none was typed: names in lower case. */
  readonly pasted: readonly string[];
  /** What was corrected in what was typed, one sentence each; no value. */
  readonly repairs: readonly string[];
  /** It came from a browser. */
  readonly isPosted: boolean;
}

/**
 * `revision`: that of the config the form was made from; empty for a new one. `startTime`: the value of a `datetime-local`
 * input, in UTC; it counts if `startFrom` is `Time`. `preset`: the receiver that the form was filled for, or
 * `pasted`: only then does what was pasted count. `….remove`: removes the
 * stored PEM, which stays otherwise if none is typed. `formId`: made once for each form of a new destination (addOnce.ts).
 */
type OwnInput = 'name' | 'formId' | 'revision' | 'startTime' | 'preset' | `${SecretPath}.remove`;

export interface HeaderRow {
  /** Stays with the row while others come and go; its inputs are named by it. */
  readonly index: number;
  readonly name: string;
  /** Empty: nothing was typed. */
  readonly value: Secret;
}

export const noSecret = new Secret('');

/** Fields that the form does not change: given by the organization, changed by a button, or set once. */
const givenFields: ReadonlySet<FieldPath> = new Set(['organization', 'suspend', 'startFrom']);

export const emptyForm: ExportForm = makeForm((field) => field.defaultValue);

/** The form of a stored config, before anything is typed. */
export function toForm({ spec, revision }: EditableConfig): ExportForm {
  const { startFrom } = spec;
  const isTime = startFrom !== 'Now' && startFrom !== 'Beginning';
  const own = { revision, ...(isTime && { startFrom: 'Time', startTime: startFrom }) };
  const headers = spec.headers.map(({ name }, index) => ({ index, name, value: noSecret }));
  return makeForm(({ path }) => spec[path], own, headers);
}

function makeForm(
  read: (field: Field) => unknown,
  own: Readonly<Record<string, string>> = {},
  headers: readonly HeaderRow[] = [],
): ExportForm {
  const typed = fields.map((field) => [field.path, printValue(field, read(field))] as const);
  const none = { name: '', formId: '', revision: '', startTime: '', preset: '' };
  const kept = { 'tls.caSecretRef.remove': '', 'tls.clientCertSecretRef.remove': '' };
  const values = { ...(Object.fromEntries(typed) as Record<FieldPath, string>), ...none, ...kept, ...own };
  return { values, headers, clientKey: noSecret, pasted: [], repairs: [], isPosted: false };
}

/** The value as the input shows it. */
function printValue({ input }: Field, value: unknown): string {
  switch (input) {
    case 'list':
      return (value as readonly string[]).join('\n');
    case 'check':
      return value === true ? 'true' : '';
    // Neither leaves the process.
    case 'headers':
    case 'secret':
      return '';
    default:
      return value === undefined ? '' : String(value);
  }
}

const bodySchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
/** Rows beyond it are not read: the schema accepts fewer, and says so. */
const maxHeaderRows = 64;

/** Never fails: what is missing is empty, and the schema says what is wrong. */
export function readForm(body: unknown): ExportForm {
  const parsed = bodySchema.safeParse(body ?? {});
  const posted = parsed.success ? parsed.data : {};
  const raw = (name: string): string => {
    const value = Object.hasOwn(posted, name) ? posted[name] : undefined;
    return ((Array.isArray(value) ? value.at(-1) : value) ?? '').replaceAll('\r\n', '\n');
  };
  const pem = (name: string): string => {
    const value = raw(name).trim();
    return value === '' ? '' : `${value}\n`;
  };
  const typed = Object.keys(emptyForm.values).map((name) => [name, raw(name).trim()]);
  const pems = secretPaths.map((path) => [path, pem(path)]);
  const values = Object.fromEntries([...typed, ...pems]) as ExportForm['values'];
  const { headers, pasted } = completeHeaders(
    readHeaders(Object.keys(posted), raw),
    values.preset,
    raw('paste'),
  );
  return {
    values: {
      ...values,
      startFrom: values.startFrom || emptyForm.values.startFrom,
      endpoint: cleanUrl(values.endpoint),
    },
    isPosted: true,
    pasted,
    ...repairRows(headers),
    clientKey: new Secret(pem('tls.clientCertSecretRef.key')),
  };
}

/** Quotes, brackets, commas and line breaks around or in a URL come from where it was copied. */
function cleanUrl(text: string): string {
  return text.replace(/\s*\n\s*/g, '').replace(/^["'`<\s]+|["'`>,;\s]+$/g, '');
}

/** All rows, empty ones too: they were asked for. */
function readHeaders(names: readonly string[], raw: (name: string) => string): HeaderRow[] {
  const indexes = names
    .map((name) => /^headers\.(\d{1,4})\.name$/.exec(name)?.[1])
    .filter((index) => index !== undefined)
    .map(Number);
  return [...new Set(indexes)]
    .sort((a, b) => a - b)
    .slice(0, maxHeaderRows)
    .map((index) => ({
      index,
      name: raw(`headers.${index}.name`).trim(),
      value: new Secret(raw(`headers.${index}.value`).trim()),
    }));
}

/** The form after a button of its header rows was pressed; `newRow`: the index of the added one. null: it was a different button. */
export function changeHeaderRows(
  form: ExportForm,
  button: string,
): { readonly form: ExportForm; readonly newRow?: number } | null {
  const { headers } = form;
  if (button === 'add-header') {
    const index = Math.max(-1, ...headers.map((row) => row.index)) + 1;
    const added = { index, name: '', value: noSecret };
    return { form: { ...form, headers: [...headers, added] }, newRow: index };
  }
  const removed = /^remove-header-(\d{1,4})$/.exec(button)?.[1];
  if (removed === undefined) return null;
  return { form: { ...form, headers: headers.filter(({ index }) => index !== Number(removed)) } };
}

/** Rows with a name or a value, in the order of the draft. */
export function filledHeaders(form: ExportForm): readonly HeaderRow[] {
  return form.headers.filter(({ name, value }) => name !== '' || value.reveal() !== '');
}

/** `current` is the config as it stands, null for a new one; fields of other owners stay as they are there. */
export function toDraft(
  form: ExportForm,
  { organization, current }: { readonly organization: string; readonly current: EditableConfig | null },
): ConfigDraft {
  const values = fields.map((field) => {
    const isStored = current !== null && (givenFields.has(field.path) || current.owners.has(field.path));
    return [field.path, isStored ? toTyped(field, current.spec) : readField(field, form, current)];
  });
  return {
    ...(Object.fromEntries(values) as ConfigDraft),
    id: current?.id ?? null,
    name: form.values.name,
    organization,
    headers: readDraftHeaders(form, current),
  };
}

/** A stored value as a draft asks for it again. */
function toTyped({ path, input }: Field, spec: EditableSpec): unknown {
  if (input === 'secret') return spec[path] ? 'kept' : 'none';
  return input === 'number' ? String(spec[path]) : spec[path];
}

function readField(
  { path, input, section, defaultValue }: Field,
  form: ExportForm,
  current: EditableConfig | null,
): unknown {
  // The form has no input for it, so nobody typed what was posted.
  if (section === 'none') return defaultValue;
  const typed = form.values[path];
  if (path === 'startFrom') return readStart(form);
  if (path === 'tls.clientCertSecretRef' && (typed !== '' || form.clientKey.reveal() !== '')) {
    return { set: { cert: typed, key: form.clientKey } };
  }
  switch (input) {
    case 'secret': {
      if (typed !== '') return { set: typed };
      const isKept = current?.spec[path] && form.values[`${path as SecretPath}.remove`] !== 'true';
      return isKept ? 'kept' : 'none';
    }
    case 'list':
      return splitList(typed);
    case 'check':
      return typed === 'true';
    default:
      return typed;
  }
}

/** One item per line, or separated by commas; empty items are dropped. */
export function splitList(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `2026-01-31T08:00` of the input is RFC 3339 with seconds and Z; anything else is passed on for the schema to judge. */
export function readStart({ values: { startFrom, startTime } }: ExportForm): string {
  if (startFrom !== 'Time') return startFrom;
  const local = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?$/.exec(startTime);
  if (local === null) return startTime === '' ? 'a time that was not given' : startTime;
  return `${local[1]}${local[2] ?? ':00'}Z`;
}

/** In the order of the rows, which is how problems name them; headers of other owners keep their values and their places in the list. */
function readDraftHeaders(form: ExportForm, current: EditableConfig | null): ConfigDraft['headers'] {
  const owned = (current?.spec.headers ?? []).filter(
    ({ name }, index) => current !== null && headerOwner(current.owners, name, index) !== null,
  );
  const typed = filledHeaders(form);
  return [
    ...typed.map(({ name, value: typedValue }) => {
      const value = typedValue.reveal() === '' ? defaultValue(form, name) : typedValue;
      return { name, value: value === null || isAmong(owned, name) ? ('kept' as const) : { set: value } };
    }),
    ...owned
      .filter(({ name }) => !isAmong(typed, name))
      .map(({ name }) => ({ name, value: 'kept' as const })),
  ];
}

/** The value of a header for which nothing was typed; null: it has none. */
function defaultValue({ values }: ExportForm, name: string): Secret | null {
  const value = findPresetHeader(values.preset, name)?.value;
  return value === undefined ? null : new Secret(value);
}

function isAmong(headers: ReadonlyArray<{ readonly name: string }>, name: string): boolean {
  return headers.some((each) => each.name.toLowerCase() === name.toLowerCase());
}

/** Who owns a header besides the page; null: nobody. */
export function headerOwner(owners: EditableConfig['owners'], name: string, index: number): string | null {
  return owners.get(`headers.${index}`) ?? owners.get(`headers/${name}`) ?? owners.get('headers') ?? null;
}

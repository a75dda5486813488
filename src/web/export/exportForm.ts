/**
 * The form of a destination: from what a browser posted to what was typed, from that to a draft, and from a stored config
 * to what the form begins with. Names of inputs are paths in the spec, as in the problems of an editor.
 *
 *   body → [readForm] → ExportForm → [toDraft] → ConfigEditor
 *
 * Not here: whether it is right (configs/schema.ts), what it looks like (pages/export/formView.ts).
 */
import { z } from 'zod';
import type { ConfigDraft, ConfigId, EditableConfig, EditableSpec } from '../../configs/configEditor.ts';
import { Secret } from '../../model/secret.ts';

/** As typed. */
export interface ExportForm {
  readonly name: string;
  readonly endpoint: string;
  readonly headers: readonly HeaderRow[];
  readonly maxBatchSize: string;
  readonly startFrom: StartChoice;
  /** Of a `datetime-local` input, in UTC; counts with the choice `Time`. */
  readonly startTime: string;
  readonly compression: string;
  readonly timeoutSeconds: string;
  /** One per line, or with commas. */
  readonly eventTypes: string;
  readonly excludeEventTypes: string;
  readonly projects: string;
  readonly serverName: string;
  readonly insecureSkipVerify: boolean;
  /** PEM; empty: the stored one stays. */
  readonly ca: string;
  readonly removeCa: boolean;
  readonly clientCert: string;
  readonly clientKey: Secret;
  readonly removeClientCert: boolean;
  /** Of the config that the form was made from; empty for a new one. */
  readonly revision: string;
}

export interface HeaderRow {
  /** Stays with the row while others come and go; its inputs are named by it. */
  readonly index: number;
  readonly name: string;
  /** Empty: nothing was typed. */
  readonly value: Secret;
}

export type StartChoice = 'Now' | 'Beginning' | 'Time';

const noSecret = new Secret('');

export const emptyForm: ExportForm = {
  name: '',
  endpoint: '',
  headers: [],
  maxBatchSize: '1000',
  startFrom: 'Now',
  startTime: '',
  compression: 'gzip',
  timeoutSeconds: '10',
  eventTypes: '',
  excludeEventTypes: '',
  projects: '',
  serverName: '',
  insecureSkipVerify: false,
  ca: '',
  removeCa: false,
  clientCert: '',
  clientKey: noSecret,
  removeClientCert: false,
  revision: '',
};

/** What the form of a stored config begins with. */
export function toForm({ spec, revision }: EditableConfig): ExportForm {
  const isTime = spec.startFrom !== 'Now' && spec.startFrom !== 'Beginning';
  return {
    ...emptyForm,
    endpoint: spec.endpoint,
    headers: spec.headers.map(({ name }, index) => ({ index, name, value: noSecret })),
    maxBatchSize: String(spec.maxBatchSize),
    startFrom: isTime ? 'Time' : (spec.startFrom as 'Now' | 'Beginning'),
    startTime: isTime ? spec.startFrom : '',
    compression: spec.compression,
    timeoutSeconds: String(spec.timeoutSeconds),
    eventTypes: spec.filter.eventTypes.join('\n'),
    excludeEventTypes: spec.filter.excludeEventTypes.join('\n'),
    projects: spec.filter.projects.join('\n'),
    serverName: spec.tls.serverName,
    insecureSkipVerify: spec.tls.insecureSkipVerify,
    revision,
  };
}

const bodySchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));
/** Beyond it nothing is read: the schema takes fewer, and says so. */
const maxHeaderRows = 64;

/** Never fails: what is missing is empty, and what is wrong is said by the schema. */
export function readForm(body: unknown): ExportForm {
  const parsed = bodySchema.safeParse(body ?? {});
  const fields = parsed.success ? parsed.data : {};
  const raw = (name: string): string => {
    const value = fields[name];
    return (Array.isArray(value) ? value.at(-1) : value) ?? '';
  };
  const text = (name: string): string => raw(name).trim();
  const pem = (name: string): string => {
    const value = raw(name).replaceAll('\r\n', '\n').trim();
    return value === '' ? '' : `${value}\n`;
  };
  const start = text('startFrom');
  return {
    name: text('name'),
    endpoint: text('endpoint'),
    headers: readHeaders(Object.keys(fields), raw),
    maxBatchSize: text('maxBatchSize'),
    startFrom: start === 'Beginning' || start === 'Time' ? start : 'Now',
    startTime: text('startTime'),
    compression: text('compression'),
    timeoutSeconds: text('timeoutSeconds'),
    eventTypes: raw('filter.eventTypes').replaceAll('\r\n', '\n'),
    excludeEventTypes: raw('filter.excludeEventTypes').replaceAll('\r\n', '\n'),
    projects: raw('filter.projects').replaceAll('\r\n', '\n'),
    serverName: text('tls.serverName'),
    insecureSkipVerify: text('tls.insecureSkipVerify') === 'true',
    ca: pem('tls.caSecretRef'),
    removeCa: text('tls.caSecretRef.remove') === 'true',
    clientCert: pem('tls.clientCertSecretRef'),
    clientKey: new Secret(pem('tls.clientCertSecretRef.key')),
    removeClientCert: text('tls.clientCertSecretRef.remove') === 'true',
    revision: text('revision'),
  };
}

/** Rows in which something was typed, or all of them: an empty row that stays is one that was asked for. */
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

export function addHeaderRow(form: ExportForm): ExportForm {
  const index = Math.max(-1, ...form.headers.map((row) => row.index)) + 1;
  return { ...form, headers: [...form.headers, { index, name: '', value: noSecret }] };
}

export function removeHeaderRow(form: ExportForm, index: number): ExportForm {
  return { ...form, headers: form.headers.filter((row) => row.index !== index) };
}

/** Rows that count: one with neither name nor value is a row nobody filled in. Their order is that of the draft. */
export function filledHeaders(form: ExportForm): readonly HeaderRow[] {
  return form.headers.filter(({ name, value }) => name !== '' || value.reveal() !== '');
}

/** `current` is the config as it stands, null for a new one; fields of other owners stay as they are there. */
export function toDraft(
  form: ExportForm,
  { organization, current }: { readonly organization: string; readonly current: EditableConfig | null },
): ConfigDraft {
  const typed: ConfigDraft = {
    id: current?.id ?? null,
    name: form.name,
    organization,
    endpoint: form.endpoint,
    headers: filledHeaders(form).map(({ name, value }) => ({
      name,
      value: value.reveal() === '' ? 'kept' : { set: value },
    })),
    maxBatchSize: form.maxBatchSize,
    startFrom: current?.spec.startFrom ?? readStart(form),
    suspend: current?.spec.suspend ?? false,
    compression: form.compression,
    timeoutSeconds: form.timeoutSeconds,
    filter: {
      eventTypes: splitList(form.eventTypes),
      excludeEventTypes: splitList(form.excludeEventTypes),
      projects: splitList(form.projects),
    },
    tls: {
      ca: readCa(form, current?.spec ?? null),
      clientCert: readClientCert(form, current?.spec ?? null),
      serverName: form.serverName,
      insecureSkipVerify: form.insecureSkipVerify,
    },
  };
  return current === null ? typed : keepOwned(typed, current);
}

/** One per line or with commas; empty ones are none. */
export function splitList(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `2026-01-31T08:00` of the input is RFC 3339 with seconds and Z; anything else goes on as it is, for the schema to judge. */
function readStart({ startFrom, startTime }: ExportForm): string {
  if (startFrom !== 'Time') return startFrom;
  const local = /^(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?$/.exec(startTime);
  if (local === null) return startTime === '' ? 'a time that was not given' : startTime;
  return `${local[1]}${local[2] ?? ':00'}Z`;
}

function readCa({ ca, removeCa }: ExportForm, spec: EditableSpec | null): ConfigDraft['tls']['ca'] {
  if (ca !== '') return { set: ca };
  return spec?.tls.hasCa && !removeCa ? 'kept' : 'none';
}

function readClientCert(
  { clientCert, clientKey, removeClientCert }: ExportForm,
  spec: EditableSpec | null,
): ConfigDraft['tls']['clientCert'] {
  if (clientCert !== '' || clientKey.reveal() !== '') return { set: { cert: clientCert, key: clientKey } };
  return spec?.tls.hasClientCert && !removeClientCert ? 'kept' : 'none';
}

/** Their inputs are read-only: what comes back for them is not the viewer's word. */
function keepOwned(draft: ConfigDraft, { owners, spec }: EditableConfig): ConfigDraft {
  const pick = <T>(path: string, typed: T, stored: T): T => (owners.has(path) ? stored : typed);
  const ownedHeaders = spec.headers.filter(
    (header, index) => headerOwner(owners, header.name, index) !== null,
  );
  return {
    ...draft,
    endpoint: pick('endpoint', draft.endpoint, spec.endpoint),
    // In the order of the rows, which is how problems name them.
    headers: [
      ...draft.headers.map((header) =>
        isAmong(ownedHeaders, header.name) ? { ...header, value: 'kept' as const } : header,
      ),
      ...ownedHeaders
        .filter(({ name }) => !isAmong(draft.headers, name))
        .map(({ name }) => ({ name, value: 'kept' as const })),
    ],
    maxBatchSize: pick('maxBatchSize', draft.maxBatchSize, String(spec.maxBatchSize)),
    compression: pick('compression', draft.compression, spec.compression),
    timeoutSeconds: pick('timeoutSeconds', draft.timeoutSeconds, String(spec.timeoutSeconds)),
    filter: {
      eventTypes: pick('filter.eventTypes', draft.filter.eventTypes, spec.filter.eventTypes),
      excludeEventTypes: pick(
        'filter.excludeEventTypes',
        draft.filter.excludeEventTypes,
        spec.filter.excludeEventTypes,
      ),
      projects: pick('filter.projects', draft.filter.projects, spec.filter.projects),
    },
    tls: {
      ca: pick('tls.caSecretRef', draft.tls.ca, spec.tls.hasCa ? 'kept' : 'none'),
      clientCert: pick(
        'tls.clientCertSecretRef',
        draft.tls.clientCert,
        spec.tls.hasClientCert ? 'kept' : 'none',
      ),
      serverName: pick('tls.serverName', draft.tls.serverName, spec.tls.serverName),
      insecureSkipVerify: pick(
        'tls.insecureSkipVerify',
        draft.tls.insecureSkipVerify,
        spec.tls.insecureSkipVerify,
      ),
    },
  };
}

function isAmong(headers: ReadonlyArray<{ readonly name: string }>, name: string): boolean {
  return headers.some((each) => each.name.toLowerCase() === name.toLowerCase());
}

/** Who owns a header besides the page; null: nobody. */
export function headerOwner(owners: EditableConfig['owners'], name: string, index: number): string | null {
  return owners.get(`headers.${index}`) ?? owners.get(`headers/${name}`) ?? owners.get('headers') ?? null;
}

/**
 * `default.acme-siem` in addresses and in the page's own entries: a namespace has no dot, so the first one divides. null:
 * it is none.
 */
export function parseConfigId(text: string): ConfigId | null {
  const match = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.([a-z0-9][a-z0-9.-]{0,252})$/.exec(text);
  const [, namespace, name] = match ?? [];
  return namespace === undefined || name === undefined ? null : { namespace, name };
}

export function printConfigId({ namespace, name }: ConfigId): string {
  return `${namespace}.${name}`;
}

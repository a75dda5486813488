/**
 * The fields of an AuditExportConfig's spec, one row each, in the order in which a manifest is written. Whoever reads,
 * compares, changes or shows a spec loops over them.
 *
 * A row says what people read. What the value must be, its default and its limits come from the schema.
 */
import { z } from 'zod';
import { type ManifestSpec, specSchema } from './schema.ts';

interface Row {
  /** In the spec. It names the field in drafts and records, and its input in the form. */
  readonly path: string;
  readonly label: string;
  /** Where the form shows it. `own`: its markup is written by hand; `none`: it has no input. */
  readonly section: 'main' | 'sending' | 'tls' | 'filter' | 'own' | 'none';
  /** Below the input, after the limits of a number. */
  readonly hint?: string;
  readonly placeholder?: string;
  /** Shown while a check is on. */
  readonly warning?: string;
}

const rows = [
  { path: 'organization', label: 'Organization', section: 'none' },
  { path: 'endpoint', label: 'Endpoint URL', section: 'own', placeholder: 'https://otel.example.com:4318' },
  { path: 'headers', label: 'Headers', section: 'own' },
  {
    path: 'maxBatchSize',
    label: 'Max batch size',
    section: 'main',
    hint: 'The most records one request carries.',
  },
  {
    path: 'startFrom',
    label: 'Start from',
    section: 'own',
    hint: 'You cannot change this later.',
  },
  { path: 'suspend', label: 'Suspend', section: 'none' },
  { path: 'compression', label: 'Compression', section: 'sending' },
  {
    path: 'timeoutSeconds',
    label: 'Timeout in seconds',
    section: 'sending',
    hint: 'For one request, answer included.',
  },
  {
    path: 'filter.eventTypes',
    label: 'Only these event types',
    section: 'filter',
    hint: 'One per line, or separated by commas; * stands for anything, as in flow.*. Empty: all.',
    placeholder: 'flow.*',
  },
  {
    path: 'filter.excludeEventTypes',
    label: 'Without these event types',
    section: 'filter',
    hint: 'Never sent, even if the field above includes them.',
    placeholder: 'flow.viewed',
  },
  {
    path: 'filter.projects',
    label: 'Only these projects',
    section: 'filter',
    hint: 'One per line, or separated by commas. Empty: all, and entries without a project.',
    placeholder: 'web',
  },
  {
    path: 'tls.caSecretRef',
    label: 'Certificate authority',
    section: 'tls',
    hint: 'Trusted instead of the system’s authorities.',
  },
  {
    path: 'tls.clientCertSecretRef',
    label: 'Client certificate',
    section: 'tls',
    hint: 'Presented to the receiver, with its private key.',
  },
  {
    path: 'tls.serverName',
    label: 'Server name',
    section: 'tls',
    hint: 'Only if the certificate is for a name other than the host.',
  },
  {
    path: 'tls.insecureSkipVerify',
    label: 'Skip verification of the certificate',
    section: 'tls',
    hint: 'For trials only: anyone in between can read and answer everything.',
    warning: 'The certificate is not checked.',
  },
] as const satisfies readonly Row[];

export type FieldPath = (typeof rows)[number]['path'];
/** PEM that a Secret holds. */
export type SecretPath = Extract<FieldPath, `${string}SecretRef`>;
export type ValuePath = Exclude<FieldPath, SecretPath | 'headers'>;

/** The values of a spec by path, defaults filled in; a text that is absent is empty. */
export type SpecValues = { readonly [Path in ValuePath]: ValueAt<ManifestSpec, Path> };

type ValueAt<T, Path extends string> = Path extends `${infer Top}.${infer Rest}`
  ? ValueAt<NonNullable<T[Top & keyof T]>, Rest>
  : NonNullable<T[Path & keyof T]>;

export interface Field extends Required<Row> {
  readonly path: FieldPath;
  /** How it is typed; `secret`: as PEM, and never shown again. */
  readonly input: 'text' | 'number' | 'choice' | 'check' | 'list' | 'secret' | 'headers';
  /** Undefined: it has none. */
  readonly defaultValue: unknown;
  /** It may be absent, and then stands for nothing. */
  readonly isOptional: boolean;
  /** Limits of a number. */
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Limit of a text. */
  readonly maxLength: number | undefined;
  /** What a choice offers; otherwise empty. */
  readonly options: readonly string[];
  /** In audit entries: a Secret is called by what it holds. */
  readonly recordedAs: string;
}

interface JsonSchema {
  readonly type?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

const specJsonSchema = z.toJSONSchema(specSchema, { io: 'input' }) as JsonSchema;

export const fields: readonly Field[] = rows.map(makeField);

export const secretPaths = fields
  .filter(({ input }) => input === 'secret')
  .map(({ path }) => path as SecretPath);

export function findField(path: FieldPath): Field {
  return fields[rows.findIndex((row) => row.path === path)] as Field;
}

function makeField(row: Row & { readonly path: FieldPath }): Field {
  const [name = '', ...parents] = row.path.split('.').toReversed();
  const parent = parents.reduceRight((schema, key) => schema.properties?.[key] ?? {}, specJsonSchema);
  const schema = parent.properties?.[name] ?? {};
  return {
    hint: '',
    placeholder: '',
    warning: '',
    ...row,
    input: inputOf(schema),
    defaultValue: schema.default,
    isOptional: schema.default === undefined && !parent.required?.includes(name),
    min: schema.minimum,
    max: schema.maximum,
    maxLength: schema.maxLength,
    options: schema.enum ?? [],
    recordedAs: row.path.replace(/SecretRef$/, ''),
  };
}

function inputOf({ type, enum: options, items }: JsonSchema): Field['input'] {
  if (options !== undefined) return 'choice';
  switch (type) {
    case 'integer':
      return 'number';
    case 'boolean':
      return 'check';
    case 'array':
      return items?.type === 'object' ? 'headers' : 'list';
    case 'object':
      return 'secret';
    default:
      return 'text';
  }
}

/**
 * The writing side of a config source, as the page uses it: what an organization's admin sees and changes. Every change
 * is written as a manifest, as any other manager writes one; the source then reads it back like all others.
 *
 * Not here: forms and sentences about them (web/), what a manifest may say (schema.ts).
 */
import type { Destination } from '../model/exportConfig.ts';
import type { Secret } from '../model/secret.ts';
import type { ExportStatus } from '../model/streamStatus.ts';
import type { SecretPath, SpecValues } from './fields.ts';

export interface ConfigEditor {
  /** Every config of the organization, including those with problems; sorted by namespace and name. */
  list(organization: string): Promise<EditorResult<readonly EditableConfig[]>>;
  /** One of them; null: the organization has none of that name. */
  read(organization: string, id: ConfigId): Promise<EditorResult<EditableConfig | null>>;
  /**
   * What a draft would send to: judged as a manifest is, with the stored values of headers and certificates that the draft
   * keeps. Writes nothing.
   */
  resolve(draft: ConfigDraft): Promise<EditorResult<Destination>>;
  /** Creates one. Refused if the organization has one of that name; a name that another organization has gets a suffix. */
  create(draft: ConfigDraft, before?: BeforeWrite): Promise<EditorResult<ConfigId>>;
  /**
   * Changes one. `revision` is that of the `EditableConfig` that the draft was made from: if someone has saved since, the
   * result is `changed-meanwhile` and nothing is written.
   */
  update(
    id: ConfigId,
    draft: ConfigDraft,
    revision: string,
    before?: BeforeWrite,
  ): Promise<EditorResult<ConfigId>>;
  setSuspended(
    organization: string,
    id: ConfigId,
    suspend: boolean,
    before?: BeforeWrite,
  ): Promise<EditorResult<void>>;
  /** "Try again now": sets a new value of the annotation auditexport.dev/reconcile-at. */
  tryAgain(organization: string, id: ConfigId, before?: BeforeWrite): Promise<EditorResult<void>>;
  /** Deletes it with the Secrets that the page made for it. Its entries stay in the table. */
  remove(
    organization: string,
    id: ConfigId,
    revision: string,
    before?: BeforeWrite,
  ): Promise<EditorResult<void>>;
}

/**
 * Asked once, when a change is known to succeed as far as that can be known, and before anything is written: a result other
 * than `ok` ends it.
 */
export type BeforeWrite = () => Promise<EditorResult<void>>;

export const done = { kind: 'ok', value: undefined } as const;
export const nothingBefore: BeforeWrite = async () => done;

export interface ConfigId {
  readonly namespace: string;
  readonly name: string;
}

export type EditorResult<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** The draft is wrong; nothing was written. */
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] }
  | { readonly kind: 'changed-meanwhile'; readonly current: EditableConfig }
  | { readonly kind: 'gone' }
  /** Another manager owns it, or the store cannot be written to: a sentence that says who or why, and what to do. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The API server or the disk did not answer, so the change may or may not be written. One sentence. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export function refused(reason: string): EditorResult<never> & { readonly kind: 'refused' } {
  return { kind: 'refused', reason };
}

export function unavailable(reason: string): EditorResult<never> & { readonly kind: 'unavailable' } {
  return { kind: 'unavailable', reason };
}

export interface FieldProblem {
  /** In the spec: `endpoint`, `headers.2.value`, `filter.eventTypes.0`; `name`; empty: the whole. */
  readonly path: string;
  /** Completes a sentence that begins with the field, without a secret: `is 5000: it must be …`. */
  readonly complaint: string;
}

export interface EditableConfig {
  readonly id: ConfigId;
  /** Key of its stream; null: the collector does not know it yet. */
  readonly key: string | null;
  /** Changes with every change of the spec, whoever makes it; not with the status. */
  readonly revision: string;
  readonly spec: EditableSpec;
  /** What is wrong with the manifest or with what it refers to; one sentence each. */
  readonly problems: readonly string[];
  /**
   * Fields that another manager owns, and its name (`kubectl`, `helm`, `argocd-controller`): path in the spec → manager.
   * `headers.2` is the third of `spec.headers`; `headers`: that manager sends the list as a whole, so none can be added.
   * The manager of `organization` created the config: it is deleted there.
   */
  readonly owners: ReadonlyMap<string, string>;
  /** Why it cannot be changed or deleted here; null: it can be (except the fields of `owners`). */
  readonly readOnly: string | null;
  /** As last written; null: none yet. */
  readonly status: ExportStatus | null;
}

/** A spec as it may leave the process: no header value, no key. By path, as in fields.ts. */
export interface EditableSpec extends SpecValues, Record<SecretPath, boolean> {
  readonly headers: ReadonlyArray<{
    readonly name: string;
    /** `page`: in a Secret that the page wrote. `secret`: in another Secret. `manifest`: plain in the manifest. */
    readonly source: 'page' | 'secret' | 'manifest';
    /** For `secret`: `NAME/KEY`. */
    readonly reference: string | null;
  }>;
}

/** What a form asks for, by path. Numbers are as typed: the schema says what is wrong with them. */
export interface ConfigDraft extends TypedValues {
  /** The config whose values are `kept`; null: a new one. */
  readonly id: ConfigId | null;
  /** For a new one; empty: it is made from the organization and the host. */
  readonly name: string;
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: Kept | { readonly set: Secret } }>;
  /** PEM. */
  readonly 'tls.caSecretRef': Kept | 'none' | { readonly set: string };
  readonly 'tls.clientCertSecretRef':
    | Kept
    | 'none'
    | { readonly set: { readonly cert: string; readonly key: Secret } };
}

type TypedValues = {
  readonly [Path in keyof SpecValues]: SpecValues[Path] extends boolean | readonly string[]
    ? SpecValues[Path]
    : string;
};

/** The stored value stays. */
export type Kept = 'kept';

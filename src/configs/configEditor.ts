/**
 * The writing side of a config source, as the page uses it: what an organization's admin sees and changes. Every change
 * is a manifest, written as any other manager writes one; the source then reads it back like everybody else's.
 *
 * Not here: forms and sentences about them (web/), what a manifest may say (schema.ts).
 */
import type { Destination } from '../model/exportConfig.ts';
import type { Secret } from '../model/secret.ts';
import type { ExportStatus } from '../model/streamStatus.ts';
import type { SecretPath, SpecValues } from './fields.ts';

export interface ConfigEditor {
  /** Every destination that names the organization, also those with problems; by namespace and name. */
  list(organization: string): Promise<EditorResult<readonly EditableConfig[]>>;
  /** One of them; null: this organization has none of that name. */
  read(organization: string, id: ConfigId): Promise<EditorResult<EditableConfig | null>>;
  /**
   * What a draft would send to: judged as a manifest is, with the stored values of headers and certificates that the draft
   * keeps. Writes nothing.
   */
  resolve(draft: ConfigDraft): Promise<EditorResult<Destination>>;
  /** Makes a new one. Refused when the organization has one of the name; a name that others have gets another ending. */
  create(draft: ConfigDraft, before?: BeforeWrite): Promise<EditorResult<ConfigId>>;
  /**
   * Changes one. `revision` is of the `EditableConfig` that the draft was made from: when somebody has saved since, the
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
  /** "Try again now": another value of the annotation auditexport.dev/reconcile-at. */
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
 * Asked once, when all that can be known says that a change will be taken, and before anything of it is written: what is
 * not `ok` ends it.
 */
export type BeforeWrite = () => Promise<EditorResult<void>>;

export const nothingBefore: BeforeWrite = async () => ({ kind: 'ok', value: undefined });

export interface ConfigId {
  readonly namespace: string;
  readonly name: string;
}

export type EditorResult<T> =
  | { readonly kind: 'ok'; readonly value: T }
  /** What was asked for is wrong; nothing was written. */
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] }
  | { readonly kind: 'changed-meanwhile'; readonly current: EditableConfig }
  | { readonly kind: 'gone' }
  /** Another manager owns it, or the place cannot be written: one sentence that says who or why, and the way out. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The API server or the disk did not answer; nothing is known to be written. One sentence. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface FieldProblem {
  /** In the spec: `endpoint`, `headers.2.value`, `filter.eventTypes.0`; `name`; empty: the whole. */
  readonly path: string;
  /** Completes a sentence that begins with the field, without a secret: `is 5000: it must be …`. */
  readonly complaint: string;
}

export interface EditableConfig {
  readonly id: ConfigId;
  /** Of its stream; null: not known to the collector yet. */
  readonly key: string | null;
  /** Changes with every change of the spec, by whomever; not with the status. */
  readonly revision: string;
  readonly spec: EditableSpec;
  /** What is wrong with the manifest or with what it refers to; one sentence each. */
  readonly problems: readonly string[];
  /**
   * Fields that another manager owns, and its name (`kubectl`, `helm`, `argocd-controller`): path in the spec → manager.
   * `headers.2` is the third of `spec.headers`; `headers`: that manager sends the list as a whole, so none can be added.
   * A manager of `organization` is who has made it: it is deleted there.
   */
  readonly owners: ReadonlyMap<string, string>;
  /** Why nothing of it can be changed or deleted here; null: it can (save the fields of `owners`). */
  readonly readOnly: string | null;
  /** As last written; null: none yet. */
  readonly status: ExportStatus | null;
}

/** A spec as it may leave the process: no header value, no key. By path, as in fields.ts. */
export interface EditableSpec extends SpecValues, Record<SecretPath, boolean> {
  readonly headers: ReadonlyArray<{
    readonly name: string;
    /** `page`: in a Secret that the page wrote. `secret`: in one of somebody else's. `manifest`: plain in the manifest. */
    readonly source: 'page' | 'secret' | 'manifest';
    /** For `secret`: `NAME/KEY`. */
    readonly reference: string | null;
  }>;
}

/** What a form asks for, by path. Numbers are as typed, so that a wrong one is answered in the words of the schema. */
export interface ConfigDraft extends TypedValues {
  /** Null when it is new: its values that are `kept` come from there. */
  readonly id: ConfigId | null;
  /** Of a new one; empty: made from organization and host. */
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

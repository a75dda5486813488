/**
 * Where the page's changes are kept: manifests, and the Secrets that the page makes for them. The cluster is one such store,
 * the directory another; what to write, and in which order, is decided once for both (manifestEditor.ts, changeManifest.ts).
 *
 * A method may throw a failure that has written nothing; `run` turns it into a result.
 */
import type { ConfigId, EditableConfig, EditorResult } from '../configEditor.ts';
import type { SecretReader } from '../destination/secretReader.ts';
import type { PageSecret, SecretKeyRef } from './pageSecrets.ts';
import type { DraftPlan } from './planDraft.ts';
import type { SpecUnits } from './specUnits.ts';

/** One manifest as it was read; `Source` is what its store needs to write exactly this version again. */
export interface StoredManifest<Source> extends Omit<EditableConfig, 'spec'> {
  /** As written, right or wrong. May hold a header's value. */
  readonly spec: unknown;
  readonly isEndpointTyped: boolean;
  /** Value of the annotation auditexport.dev/reconcile-at. */
  readonly reconcileAt: string | undefined;
  readonly source: Source;
}

/** `conflict`: what was read is no longer what is stored, so nothing was written. Read it again. */
export type Written = EditorResult<void> | { readonly kind: 'conflict' };

export interface ManifestStore<Source> {
  /** Where new configs go. */
  readonly createNamespace: string;
  /** Where the name of a new config must be free, for a sentence: `namespace flows`. */
  readonly place: string;

  /** Runs one whole operation of the editor. A store that cannot compare and write in one step runs them one after another. */
  run<T>(operation: () => Promise<EditorResult<T>>): Promise<EditorResult<T>>;

  /** All that name the organization, in any order. */
  list(organization: string): Promise<EditorResult<ReadonlyArray<StoredManifest<Source>>>>;
  /** `gone` also for one of another organization: nobody learns that it exists. */
  find(organization: string, id: ConfigId): Promise<EditorResult<StoredManifest<Source>>>;
  /** Who has the name already. */
  findHolder(organization: string, id: ConfigId): Promise<'nobody' | 'own' | 'foreign'>;
  /** Secrets as they are now. */
  makeSecretReader(): SecretReader;

  /** Why configs of that namespace may not name the organization; null: they may. */
  findBindingProblem(organization: string, namespace: string): string | null;
  /** Why nothing can be created here; null: it can. */
  findReadOnly(): Promise<string | null>;
  /** Why the spec cannot become `target`, as far as that can be known before anything is written; null: nothing is known. */
  findObstacle(stored: StoredManifest<Source>, target: SpecUnits): string | null;

  /** Whether `create` would be accepted, as far as that can be known. */
  checkCreate(id: ConfigId, plan: DraftPlan): Promise<EditorResult<void>>;
  /** With its Secrets, or not at all. */
  create(id: ConfigId, plan: DraftPlan): Promise<EditorResult<void> | { readonly kind: 'taken' }>;
  /** Changes the spec, and nothing else. */
  replace(stored: StoredManifest<Source>, target: SpecUnits): Promise<Written>;
  /** Sets the annotation auditexport.dev/reconcile-at. */
  annotate(stored: StoredManifest<Source>, reconcileAt: string): Promise<Written>;
  /** Deletes it with the Secrets that the page made for it. */
  remove(stored: StoredManifest<Source>): Promise<Written>;

  /** Adds the keys to the page's Secrets of that config; other keys stay. A failure may leave some of them. */
  writeSecrets(stored: StoredManifest<Source>, secrets: readonly PageSecret[]): Promise<EditorResult<void>>;
  /** Takes these keys out. What fails is left behind, and harms nothing. */
  dropSecrets(stored: StoredManifest<Source>, refs: readonly SecretKeyRef[]): Promise<void>;
}

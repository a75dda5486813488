/**
 * A directory of manifests as the page's store, beside whoever edits the files.
 *
 *   one at a time: read everything → compare → the file in one step
 *
 * A manifest that is wrong must be corrected in its file: half of what it was meant to say is not known here.
 */
import { access, constants, lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { spell } from '../../../basics/spell.ts';
import type { ExportStatus } from '../../../model/streamStatus.ts';
import { type ConfigId, done, type EditorResult } from '../../configEditor.ts';
import type { SecretReader } from '../../destination/secretReader.ts';
import type { ManifestStore, StoredManifest, Written } from '../../editor/manifestStore.ts';
import type { PageSecret, SecretKeyRef } from '../../editor/pageSecrets.ts';
import type { DraftPlan } from '../../editor/planDraft.ts';
import { originOf } from '../../editor/savedFor.ts';
import { listPageRefs } from '../../editor/secretRefsOf.ts';
import { listUnits, type SpecUnits } from '../../editor/specUnits.ts';
import { parseManifestText } from '../../parseManifestText.ts';
import { isOwner } from '../assignKeys.ts';
import { DirectoryReader } from '../directoryReader.ts';
import { deleteSecretFiles, makeDirectorySecrets, writeSecretFiles } from '../directorySecrets.ts';
import { makeFileCache } from '../fileCache.ts';
import { codeOf } from '../fileError.ts';
import { defaultNamespace } from '../parseFile.ts';
import { createAtomically, isThere, writeAtomically } from '../writeAtomically.ts';
import { describeFileError } from './describeFileError.ts';
import { editReconcileAt, editSpec, renderManifest } from './editManifest.ts';
import { organizationOf, type ReadManifest, toStored } from './storedFile.ts';

export interface FileStoreOptions {
  readonly directory: string;
  /** As last written, by the key of a config; null: none yet. */
  readonly statusOf: (key: string) => Promise<ExportStatus | null>;
  /** Files have changed: no need to wait until somebody notices. */
  readonly onWritten: () => void;
}

type Stored = StoredManifest<ReadManifest>;

/** Leaves room for `.status.yaml` and for the name of a temporary file, in the 255 bytes of a file's name. */
const maxNameLength = 200;
const readOnly =
  'The configuration directory cannot be written to (it may be a mounted ConfigMap): change the manifests where they come from.';

export class FileStore implements ManifestStore<ReadManifest> {
  readonly createNamespace = defaultNamespace;
  readonly place = 'the configuration directory';
  readonly #options: FileStoreOptions;
  readonly #reader: DirectoryReader;
  /** By file, what each said when it could last be parsed. */
  #lastValues = new Map<string, unknown>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: FileStoreOptions) {
    this.#options = options;
    this.#reader = new DirectoryReader(options.directory);
  }

  /** One after another; a file system's refusal is a result. */
  run<T>(operation: () => Promise<EditorResult<T>>): Promise<EditorResult<T>> {
    const result = this.#last
      .then(operation)
      .catch((error: unknown) => describeFileError(error, this.#options.directory));
    this.#last = result.catch(() => {});
    return result;
  }

  async list(organization: string): Promise<EditorResult<readonly Stored[]>> {
    const own = (await this.#readAll()).filter((each) => organizationOf(each) === organization);
    return { kind: 'ok', value: await Promise.all(own.map((each) => this.#toStored(each))) };
  }

  async find(organization: string, { namespace, name }: ConfigId): Promise<EditorResult<Stored>> {
    const named = (await this.#readAll()).filter(
      ({ assigned }) => assigned.namespace === namespace && assigned.name === name,
    );
    const found = named.find(({ assigned }) => isOwner(assigned)) ?? named[0];
    if (found === undefined || organizationOf(found) !== organization) return { kind: 'gone' };
    return { kind: 'ok', value: await this.#toStored(found) };
  }

  /** Files are named after the config, so a name is taken in every namespace. */
  async findHolder(organization: string, { name }: ConfigId): Promise<'nobody' | 'own' | 'foreign'> {
    const named = (await this.#readAll()).filter(({ assigned }) => assigned.name === name);
    if (named.some((each) => (organizationOf(each) ?? organization) !== organization)) return 'foreign';
    return named.length > 0 || (await isThere(this.#pathOf(`${name}.yaml`))) ? 'own' : 'nobody';
  }

  makeSecretReader(): SecretReader {
    return makeDirectorySecrets(this.#options.directory, makeFileCache());
  }

  findBindingProblem(): null {
    return null;
  }

  async findReadOnly(): Promise<string | null> {
    return (await canWrite(this.#options.directory)) ? null : readOnly;
  }

  findObstacle(): null {
    return null;
  }

  async checkCreate({ name }: ConfigId): Promise<EditorResult<void>> {
    const complaint = findNameProblem(name);
    return complaint === null ? done : { kind: 'invalid', problems: [{ path: 'name', complaint }] };
  }

  async create(
    { name }: ConfigId,
    { spec, secrets }: DraftPlan,
  ): Promise<EditorResult<void> | { readonly kind: 'taken' }> {
    const { directory, onWritten } = this.#options;
    const units = listUnits(spec);
    const text = renderManifest(name, units, originOf(units.get('endpoint')));
    try {
      await writeSecretFiles(directory, secrets);
      await createAtomically(this.#pathOf(`${name}.yaml`), text);
    } catch (error) {
      await deleteSecretFiles(directory, listPageRefs(spec, name));
      if (codeOf(error) !== 'EEXIST') throw error;
      return { kind: 'taken' };
    }
    onWritten();
    return done;
  }

  replace({ spec, source }: Stored, target: SpecUnits): Promise<Written> {
    const origin = originOf(target.get('endpoint'));
    const isTyped = origin !== originOf(listUnits(spec).get('endpoint'));
    return this.#rewrite(source, (text) => editSpec(text, target, isTyped ? origin : null));
  }

  annotate({ source }: Stored, reconcileAt: string): Promise<Written> {
    return this.#rewrite(source, (text) => editReconcileAt(text, reconcileAt));
  }

  async remove({ id, spec, source }: Stored): Promise<Written> {
    await rm(this.#pathOf(source.assigned.file.file));
    await deleteSecretFiles(this.#options.directory, listPageRefs(spec, id.name));
    this.#options.onWritten();
    return done;
  }

  async writeSecrets(_stored: Stored, secrets: readonly PageSecret[]): Promise<EditorResult<void>> {
    await writeSecretFiles(this.#options.directory, secrets);
    return done;
  }

  dropSecrets(_stored: Stored, refs: readonly SecretKeyRef[]): Promise<void> {
    return deleteSecretFiles(this.#options.directory, refs);
  }

  async #readAll(): Promise<ReadManifest[]> {
    const { assigned, states } = await this.#reader.read();
    this.#lastValues = new Map(
      assigned.map(({ file }) => [file.file, file.value ?? this.#lastValues.get(file.file)]),
    );
    return assigned.map((each) => ({
      assigned: each,
      state: states.get(each.key) ?? null,
      value: this.#lastValues.get(each.file.file),
    }));
  }

  async #toStored(manifest: ReadManifest): Promise<Stored> {
    const { key } = manifest.assigned;
    const reason = (await this.findReadOnly()) ?? (await this.#findFileObstacle(manifest.assigned));
    return toStored(manifest, { readOnly: reason, status: await this.#options.statusOf(key) });
  }

  async #findFileObstacle({
    file: { file, parsed },
    conflict,
  }: ReadManifest['assigned']): Promise<string | null> {
    if (!parsed.ok || conflict !== null)
      return `${file} is wrong, so it cannot be changed here: correct the file first.`;
    // In a mounted ConfigMap, for example, somebody else writes what the link leads to.
    const info = await lstat(this.#pathOf(file)).catch(() => null);
    return info?.isSymbolicLink() ? `${file} is a link: change the manifest where it comes from.` : null;
  }

  /** `edit` gets the text as it is now, which must say what `manifest` says; null from it: the text cannot be changed so. */
  async #rewrite(manifest: ReadManifest, edit: (text: string) => string | null): Promise<Written> {
    const { file } = manifest.assigned.file;
    const path = this.#pathOf(file);
    const text = await readFile(path, 'utf8');
    // Somebody else may have saved since it was read, a moment ago.
    if (spell(parseManifestText(text, file).value) !== spell(manifest.value)) return { kind: 'conflict' };
    const edited = edit(text);
    if (edited === null) {
      const reason = `${file} is written in a way that cannot be changed here (with anchors and aliases, for example): change the file.`;
      return { kind: 'refused', reason };
    }
    if (edited !== text) await writeAtomically(path, edited, (await lstat(path)).mode & 0o777);
    this.#options.onWritten();
    return done;
  }

  #pathOf(file: string): string {
    return join(this.#options.directory, file);
  }
}

async function canWrite(directory: string): Promise<boolean> {
  return await access(directory, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/** `name` has passed the schema: it leads nowhere else. */
function findNameProblem(name: string): string | null {
  if (name.length > maxNameLength) {
    return `is ${name.length} characters long: a file can be named after at most ${maxNameLength}`;
  }
  if (!/\.status$/.test(name)) return null;
  return `is "${name}", and ${name}.yaml would be a status file: choose a name that does not end in ".status"`;
}

/**
 * The page's way to write manifests into a directory, beside whoever edits the files.
 *
 *   one at a time: read everything → compare → new secret files → the manifest in one step → secret files given up
 *
 * The directory is read each time anew, so that what was saved is there the next time. A manifest that is wrong is mended
 * in its file: half of what it was meant to say is not here.
 */
import { access, constants, lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportStatus } from '../../../model/streamStatus.ts';
import {
  type BeforeWrite,
  type ConfigDraft,
  type ConfigEditor,
  type ConfigId,
  type EditableConfig,
  type EditorResult,
  nothingBefore,
} from '../../configEditor.ts';
import { judgeDraft, resolveDraft, type Target } from '../../editor/judgeDraft.ts';
import { addMark, makeName } from '../../editor/makeName.ts';
import type { PageSecret } from '../../editor/pageSecrets.ts';
import { isTypedOnPage, originOf } from '../../editor/savedFor.ts';
import { listGivenUp, listPageRefs } from '../../editor/secretRefsOf.ts';
import { buildSpec, listUnits, type SpecUnits, spell } from '../../editor/specUnits.ts';
import { parseManifestText } from '../../parseManifestText.ts';
import { reconcileAtAnnotation } from '../../schema.ts';
import { isOwner } from '../assignKeys.ts';
import { makeDirectoryReader } from '../directoryReader.ts';
import { makeDirectorySecrets } from '../directorySecrets.ts';
import { makeFileCache } from '../fileCache.ts';
import { defaultNamespace } from '../parseFile.ts';
import { createAtomically, isThere, writeAtomically } from '../writeAtomically.ts';
import { describeFileError } from './describeFileError.ts';
import {
  organizationOf,
  revisionOf,
  type StoredManifest,
  specOf,
  toEditableConfig,
} from './directoryConfig.ts';
import { editReconcileAt, editSpec, renderManifest } from './editManifest.ts';
import { deleteSecretFiles, writeSecretFiles } from './secretFiles.ts';

export interface DirectoryEditorOptions {
  readonly directory: string;
  /** As last written, by the key of a config; null: none yet. */
  readonly statusOf: (key: string) => Promise<ExportStatus | null>;
  /** Files have changed: no need to wait until somebody notices. */
  readonly onWritten: () => void;
}

const maxNames = 20;
/** Leaves room for `.status.yaml` and for the name of a temporary file, in the 255 bytes of a file's name. */
const maxNameLength = 200;

export function makeDirectoryEditor(options: DirectoryEditorOptions): ConfigEditor {
  const { directory, statusOf, onWritten } = options;
  const reader = makeDirectoryReader(directory);
  /** By file: of a text that cannot be read, what it said before. */
  let lastValues = new Map<string, unknown>();
  let last: Promise<unknown> = Promise.resolve();

  /** After everything that was asked for before. A file system's refusal is an answer, too. */
  function inTurn<T>(work: () => Promise<EditorResult<T>>): Promise<EditorResult<T>> {
    const run = last.then(work).catch((error: unknown) => describeFileError(error, directory));
    last = run.catch(() => {});
    return run;
  }

  async function readAll(): Promise<StoredManifest[]> {
    const { assigned, states } = await reader.read();
    const values = new Map(assigned.map(({ file }) => [file.file, file.value ?? lastValues.get(file.file)]));
    lastValues = values;
    const isWritable = await canWrite(directory);
    return await Promise.all(
      assigned.map(async (each) => ({
        assigned: each,
        state: states.get(each.key) ?? null,
        value: values.get(each.file.file),
        readOnly: isWritable
          ? await findObstacle(each.file.parsed.ok && each.conflict === null, each.file.file)
          : readOnly,
      })),
    );
  }

  async function findObstacle(isRight: boolean, file: string): Promise<string | null> {
    if (!isRight) return `${file} is wrong, so it is not changed from here: mend the file first.`;
    // Of a mounted ConfigMap, say: what it leads to is written by somebody else.
    const info = await lstat(join(directory, file)).catch(() => null);
    return info?.isSymbolicLink() ? `${file} is a link: change the manifest where it comes from.` : null;
  }

  async function toEditable(manifest: StoredManifest): Promise<EditableConfig> {
    return toEditableConfig(manifest, await statusOf(manifest.assigned.key));
  }

  async function find(organization: string, { namespace, name }: ConfigId): Promise<StoredManifest | null> {
    const named = (await readAll()).filter(
      ({ assigned }) => assigned.namespace === namespace && assigned.name === name,
    );
    const found = named.find(({ assigned }) => isOwner(assigned)) ?? named[0];
    return found !== undefined && organizationOf(found) === organization ? found : null;
  }

  async function change(
    organization: string,
    id: ConfigId,
    work: (manifest: StoredManifest, path: string) => Promise<EditorResult<void>>,
  ): Promise<EditorResult<void>> {
    return await inTurn(async () => {
      const manifest = await find(organization, id);
      if (manifest === null) return { kind: 'gone' };
      if (manifest.readOnly !== null) return { kind: 'refused', reason: manifest.readOnly };
      return await work(manifest, join(directory, manifest.assigned.file.file));
    });
  }

  /** `edit` gets the text as it is now, which has to say what `manifest` says. */
  async function rewrite(
    manifest: StoredManifest,
    path: string,
    edit: (text: string) => string | null,
  ): Promise<EditorResult<void>> {
    const text = await readFile(path, 'utf8');
    if (!saysTheSame(text, manifest)) {
      const current = await find(organizationOf(manifest) ?? '', manifest.assigned);
      return current === null
        ? { kind: 'gone' }
        : { kind: 'changed-meanwhile', current: await toEditable(current) };
    }
    const edited = edit(text);
    if (edited === null) {
      const reason = `${manifest.assigned.file.file} is written in a way that cannot be changed from here (anchors and aliases, say): change the file.`;
      return { kind: 'refused', reason };
    }
    if (edited !== text) await writeAtomically(path, edited, (await lstat(path)).mode & 0o777);
    onWritten();
    return ok;
  }

  async function saveSpec(
    manifest: StoredManifest,
    path: string,
    target: SpecUnits,
    { secrets, before }: { readonly secrets: readonly PageSecret[]; readonly before: BeforeWrite },
  ): Promise<EditorResult<void>> {
    const { name } = manifest.assigned;
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const written = secrets.flatMap((secret) =>
      [...secret.data.keys()].map((key) => ({ name: secret.name, key })),
    );
    let result: EditorResult<void> = { kind: 'unavailable', reason: '' };
    try {
      await writeSecretFiles(directory, secrets);
      const origin = originOf(target.get('endpoint'));
      const isTyped = origin !== originOf(listUnits(specOf(manifest)).get('endpoint'));
      result = await rewrite(manifest, path, (text) => editSpec(text, target, isTyped ? origin : null));
    } finally {
      if (result.kind !== 'ok') await deleteSecretFiles(directory, written);
    }
    if (result.kind === 'ok') {
      const refs = listPageRefs(specOf(manifest), name);
      await deleteSecretFiles(directory, listGivenUp(refs, listPageRefs(buildSpec(target), name)));
    }
    return result;
  }

  async function chooseName(draft: ConfigDraft, taken: ReadonlySet<string>): Promise<string> {
    if (draft.name !== '') return draft.name;
    for (let attempt = 1; attempt < maxNames; attempt++) {
      const name = makeName(draft.organization, draft.endpoint, attempt);
      if (!taken.has(name) && !(await isThere(join(directory, `${name}.yaml`)))) return name;
    }
    return makeName(draft.organization, draft.endpoint, maxNames);
  }

  return {
    list: (organization) =>
      inTurn(async () => {
        const own = (await readAll()).filter((manifest) => organizationOf(manifest) === organization);
        return { kind: 'ok', value: (await Promise.all(own.map(toEditable))).toSorted(byName) };
      }),

    read: (organization, id) =>
      inTurn(async () => {
        const found = await find(organization, id);
        return { kind: 'ok', value: found === null ? null : await toEditable(found) };
      }),

    resolve: (draft) =>
      inTurn(async () => {
        const stored = draft.id === null ? null : await find(draft.organization, draft.id);
        if (draft.id !== null && stored === null) return { kind: 'gone' };
        const namespace = draft.id?.namespace ?? defaultNamespace;
        const name = draft.id?.name ?? (draft.name || makeName(draft.organization, draft.endpoint, 1));
        const secrets = makeDirectorySecrets(directory, makeFileCache());
        return await resolveDraft(
          draft,
          { namespace, name, ...(stored === null ? newConfig : targetOf(stored)) },
          secrets,
        );
      }),

    create: (draft, before = nothingBefore) =>
      inTurn(async () => {
        if (!(await canWrite(directory))) return { kind: 'refused', reason: readOnly };
        const all = await readAll();
        const taken = new Set(all.map(({ assigned }) => assigned.name));
        const others = all.filter(
          (each) => (organizationOf(each) ?? draft.organization) !== draft.organization,
        );
        const chosen = await chooseName(draft, taken);
        const name = others.some(({ assigned }) => assigned.name === chosen) ? addMark(chosen) : chosen;
        const id = { namespace: defaultNamespace, name };
        const judged = await judgeDraft(draft, { ...id, ...newConfig });
        if (judged.kind === 'invalid') return judged;
        const refused = taken.has(name) ? describeTaken(name) : findNameProblem(name);
        if (refused !== null) return { kind: 'invalid', problems: [{ path: 'name', complaint: refused }] };
        const agreed = await before();
        if (agreed.kind !== 'ok') return agreed;
        const { spec, secrets } = judged.plan;
        const refs = listPageRefs(spec, name);
        try {
          await writeSecretFiles(directory, secrets);
          const units = listUnits(spec);
          const text = renderManifest(name, units, originOf(units.get('endpoint')));
          await createAtomically(join(directory, `${name}.yaml`), text);
        } catch (error) {
          await deleteSecretFiles(directory, refs);
          if (!isCode(error, 'EEXIST')) throw error;
          return { kind: 'invalid', problems: [{ path: 'name', complaint: describeTaken(name) }] };
        }
        onWritten();
        return { kind: 'ok', value: id };
      }),

    async update(id, draft, revision, before = nothingBefore) {
      const result = await change(draft.organization, id, async (manifest, path) => {
        if (revisionOf(manifest) !== revision)
          return { kind: 'changed-meanwhile', current: await toEditable(manifest) };
        const judged = await judgeDraft(draft, { ...id, ...targetOf(manifest) });
        if (judged.kind === 'invalid') return judged;
        const { spec, secrets } = judged.plan;
        return await saveSpec(manifest, path, listUnits(spec), { secrets, before });
      });
      return result.kind === 'ok' ? { kind: 'ok', value: id } : result;
    },

    setSuspended: (organization, id, suspend, before = nothingBefore) =>
      change(organization, id, (manifest, path) => {
        const target = new Map([...listUnits(specOf(manifest)), ['suspend', suspend]]);
        return saveSpec(manifest, path, target, { secrets: [], before });
      }),

    tryAgain: (organization, id, before = nothingBefore) =>
      change(organization, id, async (manifest, path) => {
        const agreed = await before();
        if (agreed.kind !== 'ok') return agreed;
        const { parsed } = manifest.assigned.file;
        const last = parsed.ok ? parsed.manifest.metadata.annotations?.[reconcileAtAnnotation] : undefined;
        const now = new Date().toISOString();
        return await rewrite(manifest, path, (text) => editReconcileAt(text, now === last ? `${now}+` : now));
      }),

    remove: (organization, id, revision, before = nothingBefore) =>
      change(organization, id, async (manifest, path) => {
        if (revisionOf(manifest) !== revision)
          return { kind: 'changed-meanwhile', current: await toEditable(manifest) };
        const agreed = await before();
        if (agreed.kind !== 'ok') return agreed;
        await rm(path);
        await deleteSecretFiles(directory, listPageRefs(specOf(manifest), id.name));
        onWritten();
        return ok;
      }),
  };
}

const newConfig = { stored: null, isEndpointTyped: true } as const;

function targetOf(manifest: StoredManifest): Pick<Target, 'stored' | 'isEndpointTyped'> {
  const { parsed } = manifest.assigned.file;
  return { stored: specOf(manifest), isEndpointTyped: parsed.ok && isTypedOnPage(parsed.manifest) };
}

const ok = { kind: 'ok', value: undefined } as const;

const readOnly =
  'The configuration directory cannot be written to (it may be a mounted ConfigMap): change the manifests where they come from.';

/** Somebody else may have saved since it was read, a moment ago. */
function saysTheSame(text: string, manifest: StoredManifest): boolean {
  return spell(parseManifestText(text, manifest.assigned.file.file).value) === spell(manifest.value);
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

function describeTaken(name: string): string {
  return `is "${name}", which is taken: choose another one`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function byName({ id: a }: EditableConfig, { id: b }: EditableConfig): number {
  return `${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1;
}

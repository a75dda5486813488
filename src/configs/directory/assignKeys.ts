/** Decides which file stands for which configuration. Every file gets a key of its own; no two get the same one. */
import { defaultNamespace, type FileIdentity, type ManifestFile } from './parseFile.ts';

export interface Assigned {
  readonly file: ManifestFile;
  /** `directory/NAMESPACE/NAME`, followed by `/FILE` for a file that has to stand back, or has never had a name. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  /** Sentence for a file that has to stand back for another of the same name. */
  readonly conflict: string | null;
}

/**
 * `files` are sorted: of several with one name the first has it. A file that cannot be read now stays what it was
 * (`lastIdentities`, by file name), unless a readable one has that name.
 */
export function assignKeys(
  files: readonly ManifestFile[],
  lastIdentities: ReadonlyMap<string, FileIdentity>,
): Assigned[] {
  const owners = new Map<string, ManifestFile>();
  for (const file of files) {
    if (file.identity !== null) claim(owners, file.identity, file);
  }
  for (const file of files) {
    const last = lastIdentities.get(file.file);
    if (file.identity === null && last !== undefined) claim(owners, last, file);
  }
  return files.map((file) => {
    const identity = file.identity ?? lastIdentities.get(file.file) ?? null;
    if (identity === null) return nameless(file);
    const { namespace, name } = identity;
    const key = makeKey(identity);
    const owner = owners.get(key);
    if (owner === file || owner === undefined) return { file, key, namespace, name, conflict: null };
    // What it was before no longer matters; its own problems do.
    if (file.identity === null) return nameless(file);
    const conflict = `${owner.file} and ${file.file} are both named ${namespace}/${name}: ${owner.file} is used, so rename or delete the one in ${file.file}.`;
    return { file, key: `${key}/${file.file}`, namespace, name, conflict };
  });
}

function claim(owners: Map<string, ManifestFile>, identity: FileIdentity, file: ManifestFile): void {
  const key = makeKey(identity);
  if (!owners.has(key)) owners.set(key, file);
}

function nameless(file: ManifestFile): Assigned {
  const identity = { namespace: defaultNamespace, name: baseName(file.file) };
  return { file, ...identity, key: `${makeKey(identity)}/${file.file}`, conflict: null };
}

function makeKey({ namespace, name }: FileIdentity): string {
  return `directory/${namespace}/${name}`;
}

/** Whether the file stands for the configuration it names: its key is `directory/NAMESPACE/NAME`. */
export function isOwner({ key, namespace, name }: Assigned): boolean {
  return key === makeKey({ namespace, name });
}

export function baseName(file: string): string {
  return file.replace(/\.ya?ml$/, '');
}

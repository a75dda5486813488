/** One manifest file as it stands: what it says, or what is wrong, and whose configuration it claims to be. */
import { isMap } from '../../basics/isMap.ts';
import { parseManifestText } from '../parseManifestText.ts';
import { namespacePattern, objectNamePattern } from '../schema/names.ts';
import { configApiVersion, configKind, type Manifest } from '../schema.ts';
import type { FileContent } from './fileCache.ts';

export const defaultNamespace = 'default';

export interface FileIdentity {
  readonly namespace: string;
  readonly name: string;
}

export interface ManifestFile {
  /** Name in the directory, such as `acme.yaml`. */
  readonly file: string;
  /** null: the file does not say, or cannot be read. */
  readonly identity: FileIdentity | null;
  readonly parsed:
    | { readonly ok: true; readonly manifest: Manifest }
    | { readonly ok: false; readonly problems: readonly string[] };
  /** What the text says, valid or not; absent when it cannot be read. May hold a header's value. */
  readonly value?: unknown;
  /** Another one when the text is another one. */
  readonly version: number;
}

export function parseFile(file: string, content: Exclude<FileContent, { kind: 'missing' }>): ManifestFile {
  if (content.kind === 'unreadable') {
    const problems = [`${file} ${content.message}.`];
    return { file, identity: null, parsed: { ok: false, problems }, version: content.version };
  }
  const parsed = parseManifestText(content.text, file);
  const { value } = parsed;
  return { file, identity: readIdentity(value), parsed, value, version: content.version };
}

/** Also of a manifest that is wrong elsewhere: its problems belong to the configuration it was meant to change. */
function readIdentity(value: unknown): FileIdentity | null {
  if (!isMap(value) || value['apiVersion'] !== configApiVersion || value['kind'] !== configKind) return null;
  const metadata = value['metadata'];
  if (!isMap(metadata)) return null;
  const { name, namespace = defaultNamespace } = metadata;
  if (typeof name !== 'string' || name.length > 253 || !objectNamePattern.test(name)) return null;
  if (typeof namespace !== 'string' || namespace.length > 63 || !namespacePattern.test(namespace))
    return null;
  return { namespace, name };
}

/**
 * Reads the directory as a whole and says how every manifest stands. It remembers what a file cannot tell: generations,
 * the last good configuration, which name a now broken file had.
 *
 *   listing → files → keys → specs and Secrets → states
 *
 * Not here: when to read (directorySource.ts), status files (statusFiles.ts).
 */
import { join } from 'node:path';
import type { ConfigState } from '../configSource.ts';
import { isSameState, lastGoodOf } from '../configStates.ts';
import { isTypedOnPage } from '../editor/savedFor.ts';
import { judgeManifest } from '../judgeManifest.ts';
import { type Assigned, assignKeys, isOwner } from './assignKeys.ts';
import { isUnchanged, makeDirectorySecrets, secretsDirectory } from './directorySecrets.ts';
import { makeFileCache } from './fileCache.ts';
import { listDirectory } from './listDirectory.ts';
import { type FileIdentity, type ManifestFile, parseFile } from './parseFile.ts';

export interface DirectorySnapshot {
  /** By key. A state is the same object as long as nothing of it has changed. */
  readonly states: ReadonlyMap<string, ConfigState>;
  /** Which file stands behind each key, sorted by file name. */
  readonly assigned: readonly Assigned[];
  readonly statusFiles: readonly string[];
  /** Where Secrets are, or would be: worth a watch. */
  readonly secretDirectories: ReadonlySet<string>;
}

/** What is remembered of a key from one read to the next. */
interface Memory {
  readonly state: ConfigState;
  readonly generation: number;
  /** Of the spec, or of a broken file's whole text; another digest raises the generation. */
  readonly digest: string;
  readonly fileVersion: number;
  /** Versions of the Secret files that were found, by path; null: something is wrong, look again next time. */
  readonly secrets: ReadonlyMap<string, number> | null;
  readonly secretDirectories: ReadonlySet<string>;
}

export class DirectoryReader {
  readonly #directory: string;
  readonly #cache = makeFileCache();
  #files = new Map<string, ManifestFile>();
  /** By file name: a file keeps its name while it is broken. */
  #identities = new Map<string, FileIdentity>();
  #memories = new Map<string, Memory>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * Never call it twice at once.
   *
   * @throws a file system error when the directory itself cannot be read: nothing is known then, so keep what you have.
   */
  async read(): Promise<DirectorySnapshot> {
    const listing = await listDirectory(this.#directory);
    const assigned = assignKeys(await this.#readFiles(listing.manifests), this.#identities);
    const next = new Map<string, Memory>();
    for (const each of assigned) next.set(each.key, await this.#recall(each));
    this.#cache.forgetUnread();
    // One that has to stand back has no name to keep.
    this.#identities = new Map(assigned.filter(isOwner).map((each) => [each.file.file, each]));
    this.#memories = next;
    const secretDirectories = [...next.values()].flatMap((memory) => [...memory.secretDirectories]);
    return {
      states: new Map([...next].map(([key, { state }]) => [key, state])),
      assigned,
      statusFiles: listing.statusFiles,
      secretDirectories: new Set([secretsDirectory(this.#directory), ...secretDirectories]),
    };
  }

  async #readFiles(names: readonly string[]): Promise<ManifestFile[]> {
    const present: ManifestFile[] = [];
    for (const name of names) {
      const content = await this.#cache.read(join(this.#directory, name));
      // Deleted since it was listed.
      if (content.kind === 'missing') continue;
      const known = this.#files.get(name);
      present.push(known?.version === content.version ? known : parseFile(name, content));
    }
    this.#files = new Map(present.map((file) => [file.file, file]));
    return present;
  }

  async #recall(assigned: Assigned): Promise<Memory> {
    const { key, namespace, name, conflict, file } = assigned;
    const before = this.#memories.get(key);
    const digest = digestOf(assigned);
    if (before !== undefined && (await this.#isCurrent(before, assigned, digest))) return before;
    const generation = before === undefined ? 1 : before.generation + (before.digest === digest ? 0 : 1);
    const parsed = conflict === null ? file.parsed : ({ ok: false, problems: [conflict] } as const);
    const isEndpointTyped = parsed.ok && isTypedOnPage(parsed.manifest);
    const identity = { key, namespace, name, generation, isEndpointTyped };
    const secrets = makeDirectorySecrets(this.#directory, this.#cache);
    const state = await judgeManifest(parsed, identity, lastGoodOf(before?.state ?? null), secrets);
    return {
      state: before !== undefined && isSameState(before.state, state) ? before.state : state,
      generation,
      digest,
      fileVersion: file.version,
      secrets: state.kind === 'valid' ? secrets.found : null,
      secretDirectories: secrets.directories,
    };
  }

  /** Whether the file and all Secrets it refers to are as they were; the file's annotations count too. */
  async #isCurrent(before: Memory, assigned: Assigned, digest: string): Promise<boolean> {
    return (
      before.digest === digest &&
      before.fileVersion === assigned.file.version &&
      before.secrets !== null &&
      (await isUnchanged(before.secrets, this.#cache))
    );
  }
}

/** Fields come in the order of the schema, so equal specs have equal text. */
function digestOf({ file, conflict }: Assigned): string {
  if (conflict === null && file.parsed.ok) return JSON.stringify(file.parsed.manifest.spec);
  return `invalid ${file.version} ${conflict ?? ''}`;
}

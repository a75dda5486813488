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
import { isSameState } from '../sameState.ts';
import { type Assigned, assignKeys, isOwner } from './assignKeys.ts';
import { isUnchanged, secretsDirectory } from './directorySecrets.ts';
import { makeFileCache } from './fileCache.ts';
import { type Judgement, judgeManifest } from './judgeManifest.ts';
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

export interface DirectoryReader {
  /**
   * Never call it twice at once.
   *
   * @throws a file system error when the directory itself cannot be read: nothing is known then, so keep what you have.
   */
  read(): Promise<DirectorySnapshot>;
}

/** What is remembered of a key from one read to the next. */
interface Memory extends Judgement {
  readonly generation: number;
  /** Of the spec, or of a broken file's whole text; another one raises the generation. */
  readonly digest: string;
  readonly fileVersion: number;
}

export function makeDirectoryReader(directory: string): DirectoryReader {
  const cache = makeFileCache();
  let files = new Map<string, ManifestFile>();
  let identities = new Map<string, FileIdentity>();
  let memories = new Map<string, Memory>();

  async function readFiles(names: readonly string[]): Promise<ManifestFile[]> {
    const present: ManifestFile[] = [];
    for (const name of names) {
      const content = await cache.read(join(directory, name));
      // Deleted since it was listed.
      if (content.kind === 'missing') continue;
      const known = files.get(name);
      present.push(known?.version === content.version ? known : parseFile(name, content));
    }
    files = new Map(present.map((file) => [file.file, file]));
    return present;
  }

  async function recall(assigned: Assigned): Promise<Memory> {
    const before = memories.get(assigned.key);
    const digest = digestOf(assigned);
    if (before !== undefined && (await isCurrent(before, assigned, digest))) return before;
    const generation = before === undefined ? 1 : before.generation + (before.digest === digest ? 0 : 1);
    const known = { generation, lastGood: before?.lastGood ?? null };
    const judged = await judgeManifest(assigned, known, { directory, cache });
    const state =
      before !== undefined && isSameState(before.state, judged.state) ? before.state : judged.state;
    return { ...judged, state, generation, digest, fileVersion: assigned.file.version };
  }

  /** Whether the file and all Secrets it refers to are as they were; the file's annotations count too. */
  async function isCurrent(before: Memory, assigned: Assigned, digest: string): Promise<boolean> {
    return (
      before.digest === digest &&
      before.fileVersion === assigned.file.version &&
      before.secrets !== null &&
      (await isUnchanged(before.secrets, cache))
    );
  }

  return {
    async read() {
      const listing = await listDirectory(directory);
      const assigned = assignKeys(await readFiles(listing.manifests), identities);
      const next = new Map<string, Memory>();
      for (const each of assigned) next.set(each.key, await recall(each));
      cache.forgetUnread();
      // A file keeps its name while it is broken; one that has to stand back has none to keep.
      identities = new Map(assigned.filter(isOwner).map((each) => [each.file.file, each]));
      memories = next;
      const secretDirectories = [...next.values()].flatMap((memory) => [...memory.secretDirectories]);
      return {
        states: new Map([...next].map(([key, { state }]) => [key, state])),
        assigned,
        statusFiles: listing.statusFiles,
        secretDirectories: new Set([secretsDirectory(directory), ...secretDirectories]),
      };
    },
  };
}

/** Fields come in the order of the schema, so equal specs have equal text. */
function digestOf({ file, conflict }: Assigned): string {
  if (conflict === null && file.parsed.ok) return JSON.stringify(file.parsed.manifest.spec);
  return `invalid ${file.version} ${conflict ?? ''}`;
}

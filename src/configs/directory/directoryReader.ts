/**
 * Reads the directory as a whole and says how every manifest stands. It remembers what a file cannot tell: generations,
 * the last good configuration, which name a now broken file had.
 *
 *   listing → files → keys → specs and Secrets → states
 *
 * Not here: when to read (directorySource.ts), status files (statusFiles.ts).
 */
import { join } from 'node:path';
import type { ExportConfig } from '../../model/exportConfig.ts';
import type { ConfigState } from '../configSource.ts';
import { resolveConfig } from '../resolveConfig.ts';
import { type Assigned, assignKeys } from './assignKeys.ts';
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

export interface DirectoryReader {
  /**
   * Never call it twice at once.
   *
   * @throws a file system error when the directory itself cannot be read: nothing is known then, so keep what you have.
   */
  read(): Promise<DirectorySnapshot>;
}

/** What is remembered of a key from one read to the next. */
interface Memory {
  generation: number;
  /** Of the spec, or of a broken file's whole text; another one raises the generation. */
  digest: string;
  state: ConfigState;
  lastGood: ExportConfig | null;
  /** Versions of the Secret files in `lastGood`; null: resolve again. */
  secrets: ReadonlyMap<string, number> | null;
  directories: ReadonlySet<string>;
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
      if (content.kind === 'missing') continue;
      const known = files.get(name);
      present.push(known?.version === content.version ? known : parseFile(name, content));
    }
    files = new Map(present.map((file) => [file.file, file]));
    return present;
  }

  async function remember(assigned: Assigned): Promise<Memory> {
    const before = memories.get(assigned.key);
    const digest = digestOf(assigned);
    const generation = before === undefined ? 1 : before.generation + (before.digest === digest ? 0 : 1);
    const lastGood = before?.lastGood ?? null;
    const invalid = (
      reason: Extract<ConfigState, { kind: 'invalid' }>['reason'],
      problems: readonly string[],
    ): ConfigState => {
      const { key, namespace, name } = assigned;
      return { kind: 'invalid', key, namespace, name, generation, reason, problems, lastGood };
    };
    const settle = (
      state: ConfigState,
      rest: Pick<Memory, 'lastGood' | 'secrets' | 'directories'>,
    ): Memory => ({
      generation,
      digest,
      state: before !== undefined && isSameState(before.state, state) ? before.state : state,
      ...rest,
    });

    const { parsed } = assigned.file;
    if (assigned.conflict !== null) {
      const state = invalid('InvalidSpec', [assigned.conflict]);
      return settle(state, { lastGood, secrets: null, directories: new Set() });
    }
    if (!parsed.ok) {
      const state = invalid('InvalidSpec', parsed.problems);
      return settle(state, { lastGood, secrets: null, directories: new Set() });
    }
    if (before?.digest === digest && before.secrets !== null && (await isUnchanged(before.secrets, cache))) {
      return before;
    }
    const secrets = makeDirectorySecrets(directory, cache);
    const resolved = await resolveConfig(parsed.manifest, { ...assigned, generation }, secrets);
    const { directories, found } = secrets;
    if (resolved.kind === 'unresolved') {
      const state = invalid(resolved.reason, resolved.problems);
      return settle(state, { lastGood, secrets: null, directories });
    }
    const { config } = resolved;
    return settle({ kind: 'valid', config }, { lastGood: config, secrets: found, directories });
  }

  return {
    async read() {
      const listing = await listDirectory(directory);
      const assigned = assignKeys(await readFiles(listing.manifests), identities);
      const next = new Map<string, Memory>();
      for (const each of assigned) next.set(each.key, await remember(each));
      cache.forgetUnread();
      identities = new Map(assigned.flatMap(identityToKeep));
      memories = next;
      return {
        states: new Map([...next].map(([key, { state }]) => [key, state])),
        assigned,
        statusFiles: listing.statusFiles,
        secretDirectories: new Set([
          secretsDirectory(directory),
          ...[...next.values()].flatMap(({ directories }) => [...directories]),
        ]),
      };
    },
  };
}

/** A file keeps its name while it is broken; one that has to stand back has none to keep. */
function identityToKeep({ file, key, namespace, name }: Assigned): Array<[string, FileIdentity]> {
  return key === `directory/${namespace}/${name}` ? [[file.file, { namespace, name }]] : [];
}

/** Fields come in the order of the schema, so equal specs have equal text. */
function digestOf({ file, conflict }: Assigned): string {
  if (conflict === null && file.parsed.ok) return JSON.stringify(file.parsed.manifest.spec);
  return `invalid ${file.version} ${conflict ?? ''}`;
}

function isSameState(a: ConfigState, b: ConfigState): boolean {
  if (a.kind === 'valid' || b.kind === 'valid') {
    return a.kind === 'valid' && b.kind === 'valid' && isSameConfig(a.config, b.config);
  }
  return (
    a.generation === b.generation &&
    a.reason === b.reason &&
    a.problems.join('\n') === b.problems.join('\n') &&
    isSameConfig(a.lastGood, b.lastGood)
  );
}

/** Within one key: the generation stands for the spec, the fingerprint for what Secrets hold. */
function isSameConfig(a: ExportConfig | null, b: ExportConfig | null): boolean {
  return a?.generation === b?.generation && a?.destination.fingerprint === b?.destination.fingerprint;
}

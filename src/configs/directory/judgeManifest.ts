/** How one manifest stands: valid with everything it refers to, or invalid with the reason and the sentences. */
import type { ExportConfig } from '../../model/exportConfig.ts';
import type { ConfigState } from '../configSource.ts';
import { isTypedOnPage } from '../editor/savedFor.ts';
import { resolveConfig } from '../resolveConfig.ts';
import type { Assigned } from './assignKeys.ts';
import { makeDirectorySecrets } from './directorySecrets.ts';
import type { FileCache } from './fileCache.ts';

export interface Judgement {
  readonly state: ConfigState;
  /** What runs: the configuration of now, else the last good one, else nothing. */
  readonly lastGood: ExportConfig | null;
  /** Versions of the Secret files that were found, by path; null: something is wrong, look again next time. */
  readonly secrets: ReadonlyMap<string, number> | null;
  readonly secretDirectories: ReadonlySet<string>;
}

export async function judgeManifest(
  assigned: Assigned,
  known: { readonly generation: number; readonly lastGood: ExportConfig | null },
  files: { readonly directory: string; readonly cache: FileCache },
): Promise<Judgement> {
  const { key, namespace, name, conflict } = assigned;
  const { parsed } = assigned.file;
  const wrong = { kind: 'invalid', key, namespace, name, ...known } as const;
  if (conflict !== null || !parsed.ok) {
    const problems = conflict !== null ? [conflict] : parsed.ok ? [] : parsed.problems;
    const state: ConfigState = { ...wrong, reason: 'InvalidSpec', problems, spec: null };
    return { state, lastGood: known.lastGood, secrets: null, secretDirectories: new Set() };
  }
  const secrets = makeDirectorySecrets(files.directory, files.cache);
  const { generation } = known;
  const isEndpointTyped = isTypedOnPage(parsed.manifest);
  const identity = { key, namespace, name, generation, isEndpointTyped };
  const resolved = await resolveConfig(parsed.manifest, identity, secrets);
  const secretDirectories = secrets.directories;
  if (resolved.kind === 'unresolved') {
    const { reason, problems, spec } = resolved;
    const state: ConfigState = { ...wrong, reason, problems, spec };
    return { state, lastGood: known.lastGood, secrets: null, secretDirectories };
  }
  const { config } = resolved;
  return { state: { kind: 'valid', config }, lastGood: config, secrets: secrets.found, secretDirectories };
}

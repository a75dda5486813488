/** Environment → Settings, all problems at once. Does not use `process`: the caller passes the environment and a file reader. */
import { errorCode } from '../basics/errorCode.ts';
import { Secret } from '../model/secret.ts';
import { followFile } from './followFile.ts';
import { findPageConflicts } from './pageConflicts.ts';
import { rememberSource } from './rereadSetting.ts';
import type { Setting } from './setting.ts';
import type { Settings } from './table.ts';
import { settingsTable } from './table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  /** One sentence each, with the name of the setting, its value (never a secret's) and what to do. */
  | { readonly ok: false; readonly problems: readonly string[] };

type SettingKey = keyof Settings;

/**
 * Reads every setting of the table from `NAME`, or from the file that `NAME_FILE` names (trailing line breaks are
 * not part of the value). A variable set to '' counts as not set. Variables that no table has are ignored. A secret from a file
 * holds what the file holds when it is revealed.
 *
 * @param readFile returns the text of a file, throws when it cannot be read.
 */
export function readSettings(
  env: Environment,
  readFile: (path: string) => string,
  nowMs?: () => number,
): SettingsResult {
  const values = new Map<SettingKey, unknown>();
  const problems: string[] = [];
  for (const key of Object.keys(settingsTable) as SettingKey[]) {
    const result = readSetting(settingsTable[key], env, readFile, nowMs);
    if (result.ok) values.set(key, result.value);
    else problems.push(...result.problems);
  }
  problems.push(...findConflicts(values));
  if (problems.length > 0) return { ok: false, problems };
  // Each key of the table has the value that its own schema made.
  const settings = Object.fromEntries(values) as unknown as Settings;
  rememberSource(settings, (key) => readSetting(settingsTable[key], env, readFile));
  return { ok: true, settings };
}

type SettingResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly string[] };

function readSetting(
  setting: Setting<unknown>,
  env: Environment,
  readFile: (path: string) => string,
  nowMs?: () => number,
): SettingResult {
  const fileName = `${setting.name}_FILE`;
  const direct = env[setting.name] || undefined;
  const path = env[fileName] || undefined;
  if (path === undefined)
    return direct === undefined ? useDefault(setting) : parse(setting, direct, setting.name, 'is');
  if (direct !== undefined)
    return problem(`${setting.name} and ${fileName} are both set: remove one of them.`);
  const readText = (): string => readFile(path).replace(/[\r\n]+$/, '');
  let value: string;
  try {
    value = readText();
  } catch (error) {
    return problem(
      `${fileName} is ${quote(path)}, which cannot be read (${errorCode(error) || 'unknown error'}): name a readable file, or set ${setting.name}.`,
    );
  }
  if (value === '') {
    return problem(
      `${fileName} is ${quote(path)}, which is empty: put the value into it, or remove ${fileName}.`,
    );
  }
  const result = parse(setting, value, `${fileName} (${quote(path)})`, 'holds');
  if (!result.ok || !(result.value instanceof Secret)) return result;
  return { ok: true, value: new Secret(followFile(value, () => readAgain(setting, readText), nowMs)) };
}

/** null: the file cannot be read, or holds nothing that the setting could be. */
function readAgain(setting: Setting<unknown>, readText: () => string): string | null {
  try {
    const value = readText();
    return value !== '' && setting.schema.safeParse(value).success ? value : null;
  } catch {
    return null;
  }
}

/** `verb` is what `source` does with the value: it `is` the value, or `holds` it. */
function parse(
  setting: Setting<unknown>,
  value: string,
  source: string,
  verb: 'is' | 'holds',
): SettingResult {
  const parsed = setting.schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const sentences = parsed.error.issues.map(({ message }) =>
    setting.secret
      ? `${source} cannot be used: ${message} (its value is not shown).`
      : `${source} ${verb} ${quote(value)}: ${message}${describeWayOut(setting)}.`,
  );
  return { ok: false, problems: sentences };
}

function describeWayOut({ presence }: Setting<unknown>): string {
  if (presence.kind === 'required') return '';
  const instead = presence.kind === 'default' && presence.value !== '' ? ` for ${presence.value}` : '';
  return `, or leave it out${instead}`;
}

function problem(sentence: string): SettingResult {
  return { ok: false, problems: [sentence] };
}

function useDefault(setting: Setting<unknown>): SettingResult {
  switch (setting.presence.kind) {
    case 'required':
      return problem(
        `${setting.name} is not set, and there is no default: set it, or name a file that holds it with ${setting.name}_FILE.`,
      );
    case 'optional':
      return { ok: true, value: null };
    case 'default':
      return { ok: true, value: setting.schema.parse(setting.presence.value) };
  }
}

/** Rules between two settings. A setting that already has a problem of its own breaks no such rule. */
function findConflicts(values: ReadonlyMap<SettingKey, unknown>): string[] {
  const problems: string[] = [];
  const source = values.get('configSource');
  const directory = values.get('configDirectory');
  if (source === 'directory' && directory === null) {
    problems.push(
      'CONFIG_SOURCE is "directory", but CONFIG_DIRECTORY is not set: name the directory of manifests in CONFIG_DIRECTORY, or set CONFIG_SOURCE=kubernetes.',
    );
  }
  if (source === 'kubernetes' && typeof directory === 'string') {
    problems.push(
      `CONFIG_DIRECTORY is ${quote(directory)}, but CONFIG_SOURCE is "kubernetes", which does not read it: set CONFIG_SOURCE=directory, or remove CONFIG_DIRECTORY.`,
    );
  }
  const bindings = values.get('namespaceOrganizations');
  if (source === 'directory' && Object.keys(bindings ?? {}).length > 0) {
    problems.push(
      'NAMESPACE_ORGANIZATIONS is set, but CONFIG_SOURCE is "directory", where anyone who writes a file also chooses its namespace: remove it, or set CONFIG_SOURCE=kubernetes.',
    );
  }
  problems.push(...findPageConflicts(values));
  for (const [low, high] of [
    ['retryInitialMs', 'retryMaxMs'],
    ['holdInitialMs', 'holdMaxMs'],
  ] as const) {
    const initial = values.get(low);
    const longest = values.get(high);
    if (typeof initial !== 'number' || typeof longest !== 'number' || initial <= longest) continue;
    const [lowName, highName] = [settingsTable[low].name, settingsTable[high].name];
    problems.push(
      `${lowName} is ${initial}, more than ${highName}, which is ${longest}: lower ${lowName} or raise ${highName}.`,
    );
  }
  return problems;
}

function quote(value: string): string {
  return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
}

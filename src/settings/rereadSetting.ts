/**
 * Reads a setting again that `NAME_FILE` gives, for values that rotate while the process runs: passwords, keys, client secrets.
 *
 * Ask where the value is used (a new connection, a request for a token), each time or when it was refused, rather than keep it.
 */
import type { Settings } from './table.ts';

type Read = (key: keyof Settings) => { readonly ok: true; readonly value: unknown } | { readonly ok: false };

interface Source {
  readonly read: Read;
  /** The last good value of each setting that was read again. */
  readonly latest: Map<keyof Settings, unknown>;
}

const sources = new WeakMap<Settings, Source>();

/** For readSettings.ts: where these settings came from. `read` judges by the same rules as at the start. */
export function rememberSource(settings: Settings, read: Read): void {
  sources.set(settings, { read, latest: new Map() });
}

/**
 * The value that the file has now: a small read, without a cache. While the file is missing, half-written or wrong it is the last
 * good one, and for a setting without a file always the same. `settings` must be what `readSettings` returned, not a copy.
 */
export function rereadSetting<K extends keyof Settings>(settings: Settings, key: K): Settings[K] {
  const source = sources.get(settings);
  if (source === undefined) return settings[key];
  const result = source.read(key);
  if (result.ok) source.latest.set(key, result.value);
  return source.latest.has(key) ? (source.latest.get(key) as Settings[K]) : settings[key];
}

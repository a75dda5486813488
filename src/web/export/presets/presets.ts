/** Looks a receiver up in the table of presets, and what the form must know of it. */
import { type Preset, type PresetHeader, presetTable } from './presetTable.ts';

/** null: there is none of that id. */
export function findPreset(id: string): Preset | null {
  return presetTable.find((preset) => preset.id === id) ?? null;
}

/** What a preset says of one of its headers, by any spelling of its name; null: nothing. */
export function findPresetHeader(id: string, name: string): PresetHeader | null {
  const wanted = name.toLowerCase();
  return findPreset(id)?.headers.find((header) => header.name.toLowerCase() === wanted) ?? null;
}

/** The receiver whose endpoint this is, as far as its host tells; null: it may be any. */
export function findPresetOf(endpoint: string): Preset | null {
  return (
    presetTable.find((preset) =>
      [preset.endpoint, preset.inEurope].some((each) => each !== undefined && isAt(each, endpoint)),
    ) ?? null
  );
}

/** The paths at which receivers of the table take logs, each once. */
export function listPresetPaths(): string[] {
  const paths = presetTable.map(({ endpoint }) => /^https?:\/\/[^/]+(\/.+)$/.exec(endpoint)?.[1] ?? logsPath);
  return [...new Set(paths.filter((path) => !path.includes('<')))];
}

/** Appended to an endpoint without a path. */
const logsPath = '/v1/logs';

/** At the same host, with anything in place of the parts in angle brackets. A host that is all the customer’s own says nothing. */
function isAt(pattern: string, endpoint: string): boolean {
  const [, host = ''] = /^https:\/\/([^/]+)/.exec(pattern) ?? [];
  if (!/[a-z]\.[a-z]+$/.test(host)) return false;
  const literal = host.split(/<[^>]+>/).map((part) => part.replaceAll('.', '\\.'));
  return new RegExp(`^https?://${literal.join('[a-z0-9.-]+')}(?::\\d+)?(?:[/?]|$)`, 'i').test(endpoint);
}

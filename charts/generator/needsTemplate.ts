/** What each mode of settings.authMode needs among the settings, from the table that the program itself checks at start. */
import { stringify } from 'yaml';
import { modeNeeds } from '../../src/settings/pageConflicts.ts';
import { settingsTable } from '../../src/settings/table.ts';
import { decided, valueKey } from './settingValues.ts';

/** `audit-export.needs`: mode → setting → what to set it to. Secrets are not settings of the chart, so they are left out. */
export function makeNeedsTemplate(): string {
  const needs = Object.entries(modeNeeds).map(([mode, settings]) => {
    const values = Object.entries(settings)
      .map(([key, what]) => [settingsTable[key as keyof typeof settingsTable].name, what] as const)
      .filter(([name]) => !decided.has(name))
      .map(([name, what]) => [valueKey(name), what]);
    return [mode, Object.fromEntries(values)];
  });
  const yaml = stringify(Object.fromEntries(needs), { lineWidth: 0 });
  return `{{/* Generated from src/settings/pageConflicts.ts by \`npm run generate\`: change it there. */}}
{{- define "audit-export.needs" -}}
${yaml.trimEnd()}
{{- end -}}
`;
}

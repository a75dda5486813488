/** The tables of README.md: every value with its default, and every setting with its value. */
import { code, table } from '../../crds/generator/markdown.ts';
import { decided, listSettings } from './settingValues.ts';
import type { ChartValue } from './values.ts';

export function makeValuesTable(values: readonly ChartValue[]): string {
  return table(
    ['value', 'default', 'meaning'],
    values.map(({ path, default: value, description }) => [
      code(path),
      code(JSON.stringify(value)),
      description,
    ]),
  );
}

export function makeSettingsTable(): string {
  return table(
    ['setting', 'value of the chart', 'kind'],
    listSettings().map(({ key, setting }) => [
      code(setting.name),
      decided.get(setting.name) ?? code(`settings.${key}`),
      setting.type + (setting.unit === '' ? '' : ` (${setting.unit})`),
    ]),
  );
}

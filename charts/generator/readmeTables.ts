/** The tables of README.md: every value with its default, and every setting with its value. */
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

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The settings table as text for `--help`. */

import type { Setting } from './setting.ts';
import type { Settings } from './table.ts';
import { settingsTable } from './table.ts';

const columns = 100;
const indent = '      ';

/** One paragraph a setting: name, type and default on the first line, the sentence below; at most 100 columns wide. */
export function describeSettings(): string {
  const keys = Object.keys(settingsTable) as (keyof Settings)[];
  return [
    'Settings (environment variables; NAME_FILE names a file that holds the value of NAME):',
    ...keys.map((key) => describeSetting(settingsTable[key])),
    '',
  ].join('\n');
}

function describeSetting(setting: Setting<unknown>): string {
  const facts = [setting.type + (setting.unit === '' ? '' : ` (${setting.unit})`), describePresence(setting)];
  if (setting.secret) facts.push('never printed');
  return `  ${setting.name}  ${facts.join('; ')}\n${wrap(setting.doc)}`;
}

function describePresence({ presence }: Setting<unknown>): string {
  return presence.kind === 'default' ? `default ${presence.value || 'empty'}` : presence.kind;
}

function wrap(sentence: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of sentence.split(' ')) {
    if (line !== indent && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}

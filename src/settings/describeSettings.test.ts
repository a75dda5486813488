import { expect, test } from 'vitest';
import { describeSettings } from './describeSettings.ts';
import { settingsTable } from './table.ts';

const help = describeSettings();

test.each(Object.values(settingsTable))('describes $name with its default and its sentence', (setting) => {
  const paragraph = help.slice(help.indexOf(`\n  ${setting.name}  `)).split(/\n {2}(?=\S)/)[1] ?? '';
  const words = paragraph.replaceAll(/\s+/g, ' ').trim();
  expect(words.endsWith(setting.doc)).toBe(true);
  if (setting.presence.kind === 'default') {
    expect(words).toContain(`; default ${setting.presence.value || 'empty'}`);
  }
});

test('is at most 100 columns wide', () => {
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

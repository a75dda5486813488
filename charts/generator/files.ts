/** Every generated file of the chart, by its path in charts/audit-export. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn } from '../../crds/generator/markdown.ts';
import { makeCrdTemplate } from './crdTemplate.ts';
import { makeNeedsTemplate } from './needsTemplate.ts';
import { makeSettingsTable, makeValuesTable } from './readmeTables.ts';
import { makeRulesTemplate } from './rulesTemplate.ts';
import { readValues } from './values.ts';
import { makeValuesSchema } from './valuesSchema.ts';

export const chartFolder = join(import.meta.dirname, '../audit-export');
const crds = join(import.meta.dirname, '../../crds');

export function makeChartFiles(): Map<string, string> {
  const values = readValues(readFileSync(join(chartFolder, 'values.yaml'), 'utf8'));
  const tables = new Map([
    ['values', makeValuesTable(values)],
    ['settings', makeSettingsTable()],
  ]);
  return new Map([
    [
      'templates/crd.yaml',
      makeCrdTemplate(readFileSync(join(crds, 'auditexportconfigs.auditexport.dev.yaml'), 'utf8')),
    ],
    ['templates/_needs.tpl', makeNeedsTemplate()],
    ['templates/_rules.tpl', makeRulesTemplate(readFileSync(join(crds, 'rbac.yaml'), 'utf8'))],
    ['values.schema.json', `${JSON.stringify(makeValuesSchema(values), null, 2)}\n`],
    ['README.md', fillIn(readFileSync(join(chartFolder, 'README.md'), 'utf8'), tables)],
  ]);
}

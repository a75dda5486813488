/**
 * Writes the generated files of the chart: `npm run generate`, after a change of values.yaml, the settings or crds/. A
 * test fails while they differ.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartFolder, makeChartFiles } from './generator/files.ts';

for (const [path, text] of makeChartFiles()) writeFileSync(join(chartFolder, path), text);

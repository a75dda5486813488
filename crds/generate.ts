/**
 * Writes the CustomResourceDefinition beside this file, and the tables of fields and reasons in README.md:
 * `node crds/generate.ts`, after a change of the schema or of the reasons.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderCrd, renderTables } from './generator/crd.ts';
import { fillIn } from './generator/markdown.ts';

const readme = join(import.meta.dirname, 'README.md');
writeFileSync(join(import.meta.dirname, 'auditexportconfigs.auditexport.dev.yaml'), renderCrd());
writeFileSync(readme, fillIn(readFileSync(readme, 'utf8'), renderTables()));

/** Writes the CustomResourceDefinition beside this file: `node crds/generate.ts`, after a change of the schema. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderCrd } from './generator/crd.ts';

writeFileSync(join(import.meta.dirname, 'auditexportconfigs.auditexport.dev.yaml'), renderCrd());

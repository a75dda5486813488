/** The part of a manifest's spec that the stream works by; the rest becomes its destination. */

import { createHash } from 'node:crypto';
import type { ExportSpec } from '../model/exportConfig.ts';
import { listUnits } from './editor/specUnits.ts';
import { fields } from './fields.ts';
import { filterSchema } from './schema/filter.ts';
import { toStartFrom } from './schema/startFrom.ts';
import type { ManifestSpec } from './schema.ts';

export function toExportSpec(spec: ManifestSpec): ExportSpec {
  return {
    organization: spec.organization,
    endpoint: spec.endpoint,
    maxBatchSize: spec.maxBatchSize,
    startFrom: toStartFrom(spec.startFrom),
    suspend: spec.suspend,
    shown: showSpec(spec),
    // An absent filter is one with every default.
    filter: spec.filter ?? filterSchema.unwrap().parse({}),
  };
}

/**
 * By field, as the page names them. A name that ends in `(value)` or `(query)` stands for something that is not shown: its value
 * here is a hash.
 */
function showSpec(spec: ManifestSpec): Readonly<Record<string, unknown>> {
  const units = listUnits(spec);
  const hash = (value: unknown): string =>
    createHash('sha256')
      .update(JSON.stringify([spec.organization, value]))
      .digest('hex')
      .slice(0, 32);
  const shown: Record<string, unknown> = {};
  for (const { path, input, recordedAs } of fields) {
    const value = units.get(path);
    if (path === 'organization') continue;
    if (path === 'endpoint') {
      const [endpoint, query] = spec.endpoint.split('?', 2);
      shown[path] = endpoint;
      if (query !== undefined) shown['endpoint (query)'] = hash(query);
    } else if (input === 'headers') {
      shown[path] = spec.headers.map(({ name }) => name);
      for (const header of spec.headers)
        shown[`headers.${header.name} (value)`] = hash(header.valueFrom ?? header.value);
    } else if (input === 'secret') {
      shown[recordedAs] = value !== undefined;
      if (value !== undefined) shown[`${recordedAs} (value)`] = hash(value);
    } else shown[path] = value ?? '';
  }
  return shown;
}

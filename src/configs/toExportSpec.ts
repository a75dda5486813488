/** The part of a manifest's spec that the stream works by; the rest becomes its destination. */
import type { ExportSpec } from '../model/exportConfig.ts';
import { filterSchema } from './schema/filter.ts';
import { toStartFrom } from './schema/startFrom.ts';
import type { ManifestSpec } from './schema.ts';
import { showSpec } from './showSpec.ts';

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

/**
 * The schema of AuditExportConfig: what its values must be, with their defaults and limits. It is closed at every level: a
 * misspelt field is an error, never a setting that silently has no effect.
 *
 * Not here: what people read of a field (fields.ts), sentences (problems/), references to Secrets (destination/).
 */
import { z } from 'zod';
import { compressions } from '../model/exportConfig.ts';
import { endpointSchema } from './schema/endpoint.ts';
import { field, wholeNumber } from './schema/field.ts';
import { filterSchema } from './schema/filter.ts';
import { headersSchema } from './schema/headers.ts';
import { metadataSchema } from './schema/metadata.ts';
import { startFromSchema } from './schema/startFrom.ts';
import { tlsSchema } from './schema/tls.ts';

export const configApiVersion = 'auditexport.dev/v1';
export const configKind = 'AuditExportConfig';
export const reconcileAtAnnotation = 'auditexport.dev/reconcile-at';
/** `true` or `false`; see `ExportConfig.takesOver`. */
export const takeOverAnnotation = 'auditexport.dev/take-over';
/** `FROM/UNTIL`; see `ExportConfig.replay`. */
export const replayAnnotation = 'auditexport.dev/replay';
/** In a file: the origin that was typed on the page. It holds as long as the endpoint has that origin. */
export const typedEndpointAnnotation = 'auditexport.dev/endpoint-typed-on-page';

const maxOrganizationLength = 256;

export const specSchema = field(
  z.strictObject({
    organization: field(
      z
        .string()
        .min(1)
        .max(maxOrganizationLength)
        .regex(/^[^\p{Cc}]+$/u),
      {
        description:
          'The organization whose entries are exported. It stays: another organization is another AuditExportConfig.',
        expected: `text of 1 to ${maxOrganizationLength} characters on one line`,
      },
    ),
    endpoint: endpointSchema,
    headers: headersSchema,
    maxBatchSize: wholeNumber({ min: 1, max: 1000, default: 1000 }, 'Records a request carries at most.'),
    startFrom: startFromSchema,
    suspend: field(z.boolean().default(false), {
      description: 'Stops sending; entries are kept, and go when it is false again.',
      expected: 'true or false',
    }),
    compression: field(z.enum(compressions).default('gzip'), {
      description:
        'Compression of the request body. zstd takes a third of the processor time of gzip and fewer bytes, but fewer receivers read it.',
      expected: 'gzip, zstd or none',
    }),
    timeoutSeconds: wholeNumber(
      { min: 1, max: 300, default: 10 },
      'Longest time one request may take, answer included, in seconds.',
    ),
    filter: filterSchema,
    tls: tlsSchema,
  }),
  {
    description: 'What is exported, and where to.',
    expected: 'a map with at least organization and endpoint',
  },
);

export const manifestSchema = field(
  z.strictObject({
    apiVersion: field(z.literal(configApiVersion), {
      description: 'Version of this schema.',
      expected: configApiVersion,
    }),
    kind: field(z.literal(configKind), { description: 'Kind of this resource.', expected: configKind }),
    metadata: metadataSchema,
    spec: specSchema,
    // Written by the collector; a manifest saved from the cluster has it.
    status: z.unknown().optional(),
  }),
  {
    description: "Streams one organization's audit entries to an OTLP/HTTP receiver.",
    expected: `a map with apiVersion, kind, metadata and spec`,
  },
);

/** A manifest that passed, defaults filled in. Header values in it are plain text: pass it on, never print it. */
export type Manifest = z.output<typeof manifestSchema>;
export type ManifestSpec = Manifest['spec'];

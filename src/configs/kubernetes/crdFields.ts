/**
 * Which fields of an AuditExportConfig the cluster's CustomResourceDefinition lacks.
 *
 * A definition that is older than this program is no error to the API server: it drops a field of a manifest that it does
 * not know, and refuses a whole status for one (a server-side apply is answered 500, "field not declared in schema").
 */
import { z } from 'zod';
import { isMap } from '../../basics/isMap.ts';
import type { Condition, ExportStatus, LastError } from '../../model/streamStatus.ts';
import { configApiVersion, configKind, specSchema } from '../schema.ts';

/** Names of fields; null: nothing below it is a field of its own. The items of a list stand for the list. */
interface FieldTree {
  readonly [name: string]: FieldTree | null;
}

const conditionFields: { readonly [Name in keyof Required<Condition>]: null } = {
  type: null,
  status: null,
  reason: null,
  message: null,
  lastTransitionTime: null,
  observedGeneration: null,
};
const lastErrorFields: { readonly [Name in keyof Required<LastError>]: null } = {
  time: null,
  reason: null,
  message: null,
  httpStatus: null,
  resolvedTime: null,
};
const statusFields: { readonly [Name in keyof Required<ExportStatus>]: FieldTree | null } = {
  observedGeneration: null,
  resolvedEndpoint: null,
  conditions: conditionFields,
  lastError: lastErrorFields,
  lastDeliveryTime: null,
  deliveredEntries: null,
  pendingEntries: null,
  parkedEntries: null,
  rejectedEntries: null,
  oldestPendingTime: null,
  lastHandledReconcileAt: null,
};

/** Where the API server publishes the schema; everybody who is authenticated may read it. */
export const schemaPath = `/openapi/v3/apis/${configApiVersion}`;

/** Paths such as `spec.filter` and `status.lastError.httpStatus`; null: the document has no such kind. */
export function findMissingFields(openApi: unknown): string[] | null {
  const schema = findKind(openApi);
  if (schema === null) return null;
  return missing(
    { spec: fieldsOf(z.toJSONSchema(specSchema, { io: 'input' })), status: statusFields },
    schema,
    '',
  );
}

/** The status without the fields that are missing in the cluster. */
export function dropMissingFields(status: ExportStatus, missingFields: readonly string[]): ExportStatus {
  const lacks = new Set(missingFields);
  const drop = <T extends object>(value: T, path: string): T =>
    Object.fromEntries(Object.entries(value).filter(([name]) => !lacks.has(`${path}.${name}`))) as T;
  const { conditions, lastError } = status;
  return drop(
    {
      ...status,
      conditions: conditions.map((condition) => drop(condition, 'status.conditions')),
      ...(lastError === undefined ? {} : { lastError: drop(lastError, 'status.lastError') }),
    },
    'status',
  );
}

function missing(expected: FieldTree, schema: Record<string, unknown>, path: string): string[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  const node = isMap(schema['items']) ? schema['items'] : schema;
  const properties = isMap(node['properties']) ? node['properties'] : {};
  return Object.entries(expected).flatMap(([name, below]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const property = properties[name];
    if (!isMap(property)) return [at];
    return below === null ? [] : missing(below, property, at);
  });
}

function fieldsOf(schema: unknown): FieldTree | null {
  if (!isMap(schema)) return null;
  if (isMap(schema['items'])) return fieldsOf(schema['items']);
  if (!isMap(schema['properties'])) return null;
  return Object.fromEntries(
    Object.entries(schema['properties']).map(([name, child]) => [name, fieldsOf(child)]),
  );
}

function findKind(openApi: unknown): Record<string, unknown> | null {
  const components = isMap(openApi) ? openApi['components'] : undefined;
  const schemas = isMap(components) ? components['schemas'] : undefined;
  for (const schema of Object.values(isMap(schemas) ? schemas : {})) {
    const kinds = isMap(schema) ? schema['x-kubernetes-group-version-kind'] : undefined;
    if (!Array.isArray(kinds)) continue;
    if (
      kinds.some(
        (one) =>
          isMap(one) &&
          one['kind'] === configKind &&
          `${one['group']}/${one['version']}` === configApiVersion,
      )
    )
      return schema as Record<string, unknown>;
  }
  return null;
}

/** The tables of crds/README.md: every field of the resource, as the CRD has it. */
import { table } from './markdown.ts';
import type { StructuralSchema } from './structuralSchema.ts';

/** A Markdown table of all fields below `schema`, which itself is `path`. */
export function renderFieldTable(path: string, schema: StructuralSchema): string {
  const rows = fieldsOf(path, schema).map(({ path, schema, isRequired }) => [
    `\`${path}\``,
    describeType(schema),
    isRequired ? 'required' : schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``,
    schema.description ?? '',
  ]);
  return table(['field', 'type', 'default', 'meaning'], rows);
}

interface Field {
  readonly path: string;
  readonly schema: StructuralSchema;
  readonly isRequired: boolean;
}

/** A list of maps stands for itself and for the fields of its items; a list of texts for itself alone. */
function fieldsOf(path: string, schema: StructuralSchema): Field[] {
  const { properties, required = [] } = schema.items?.properties ? schema.items : schema;
  const prefix = schema.items ? `${path}[]` : path;
  return Object.entries(properties ?? {}).flatMap(([name, child]) => [
    { path: `${prefix}.${name}`, schema: child, isRequired: required.includes(name) },
    ...fieldsOf(`${prefix}.${name}`, child),
  ]);
}

function describeType({ type, format, items, ...limits }: StructuralSchema): string {
  if (limits.enum) return limits.enum.map((value) => `\`${value}\``).join(', ');
  if (format === 'date-time') return 'time (RFC 3339)';
  switch (type) {
    case 'string':
      return limits.maxLength === undefined ? 'text' : `text, at most ${limits.maxLength} characters`;
    case 'integer':
      if (limits.minimum === undefined || limits.maximum === undefined) return 'whole number';
      return `${limits.minimum} to ${limits.maximum}`;
    case 'boolean':
      return '`true`, `false`';
    case 'array':
      return `list of at most ${limits.maxItems}`;
    default:
      return 'map';
  }
}

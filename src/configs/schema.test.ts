import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectations } from './schema/field.ts';
import { manifestSchema, specSchema } from './schema.ts';

/** Every schema below `schema` that stands for a field, with its path. */
function fieldsOf(schema: z.core.$ZodType, path: string): Array<{ path: string; schema: z.core.$ZodType }> {
  let bare = schema;
  while (bare instanceof z.ZodOptional || bare instanceof z.ZodDefault) bare = bare.unwrap();
  const children: Array<[string, z.core.$ZodType]> =
    bare instanceof z.ZodObject
      ? Object.entries(bare.shape as Record<string, z.core.$ZodType>)
      : bare instanceof z.ZodArray
        ? [['[]', bare.element]]
        : [];
  return [{ path, schema }, ...children.flatMap(([key, child]) => fieldsOf(child, `${path}.${key}`))];
}

describe('the schema', () => {
  it('describes every field of spec, and says what each must be', () => {
    const fields = fieldsOf(specSchema, 'spec');
    expect(fields.length).toBeGreaterThan(25);
    const undescribed = fields.filter(
      ({ schema }) => !z.globalRegistry.get(schema)?.description || !expectations.get(schema)?.expected,
    );
    expect(undescribed.map(({ path }) => path)).toEqual([]);
  });

  it('bounds every text and list of spec, which CEL rules in a CRD need', () => {
    const unbounded: string[] = [];
    visit(z.toJSONSchema(specSchema, { io: 'input' }), 'spec', (node, path) => {
      if (node['type'] === 'string' && node['maxLength'] === undefined && node['enum'] === undefined) {
        unbounded.push(path);
      }
      if (node['type'] === 'array' && node['maxItems'] === undefined) unbounded.push(path);
    });
    expect(unbounded).toEqual([]);
  });

  it('is closed at every level of spec', () => {
    const open: string[] = [];
    visit(z.toJSONSchema(specSchema, { io: 'input' }), 'spec', (node, path) => {
      if (node['type'] === 'object' && node['additionalProperties'] !== false) open.push(path);
    });
    expect(open).toEqual([]);
  });

  it('becomes a JSON Schema with the defaults and limits of the resource', () => {
    expect(z.toJSONSchema(manifestSchema, { io: 'input' })).toMatchObject({
      required: ['apiVersion', 'kind', 'metadata', 'spec'],
      properties: {
        spec: {
          required: ['organization', 'endpoint'],
          properties: {
            endpoint: { type: 'string', minLength: 1, maxLength: 2048 },
            headers: { maxItems: 32, default: [] },
            maxBatchSize: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 },
            startFrom: { default: 'Now' },
            suspend: { type: 'boolean', default: false },
            compression: { enum: ['gzip', 'zstd', 'none'], default: 'gzip' },
            timeoutSeconds: { type: 'integer', minimum: 1, maximum: 300, default: 10 },
          },
        },
      },
    });
  });
});

type Node = Record<string, unknown>;

function visit(node: unknown, path: string, see: (node: Node, path: string) => void): void {
  if (typeof node !== 'object' || node === null) return;
  see(node as Node, path);
  for (const [key, child] of Object.entries(node)) visit(child, `${path}.${key}`, see);
}

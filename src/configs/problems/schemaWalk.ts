/** Finds the schema of a field by its path, and the fields there are. */
import { z } from 'zod';
import { type Expectation, expectations } from '../schema/field.ts';

export type Path = ReadonlyArray<PropertyKey>;

/** The schema of the field at `path`; undefined for a path that `root` does not know. */
export function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let schema: z.core.$ZodType | undefined = root;
  for (const key of path) schema = schema === undefined ? undefined : childOf(schema, key);
  return schema;
}

/** What the field at `path` must be; undefined for a path that the schema does not know. */
export function expectationAt(root: z.core.$ZodType, path: Path): Expectation | undefined {
  const schema = schemaAt(root, path);
  return schema === undefined ? undefined : expectations.get(schema);
}

/** Names of the fields of the map at `path`; empty where there is no such map. */
export function fieldsAt(root: z.core.$ZodType, path: Path): string[] {
  const schema = schemaAt(root, path);
  const bare = schema === undefined ? undefined : unwrap(schema);
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
}

/** Every field of `spec` as a path, outermost first; not what is inside lists. */
export function allFieldPaths(schema: z.core.$ZodType, prefix: readonly string[] = []): string[][] {
  const bare = unwrap(schema);
  if (!(bare instanceof z.ZodObject)) return [];
  const own = Object.keys(bare.shape).map((name) => [...prefix, name]);
  const nested = own.flatMap((path) => allFieldPaths(bare.shape[path.at(-1) ?? ''], path));
  return [...own, ...nested];
}

function childOf(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodObject) {
    return typeof key === 'string' && Object.hasOwn(bare.shape, key) ? bare.shape[key] : undefined;
  }
  if (bare instanceof z.ZodArray) return bare.element;
  return undefined;
}

/** Without what makes it optional or gives it a default. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return unwrap(schema.unwrap());
  }
  return schema;
}

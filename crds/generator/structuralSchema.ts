/**
 * Turns the zod schema into what a CRD can hold: a structural schema (Kubernetes documentation, "Specifying a structural
 * schema"). Patterns become CEL rules with the sentences of src/configs: the API server's own message for a pattern is the
 * pattern, and it repeats the value, which may be a header's.
 */
import { z } from 'zod';
import { expectationAt, schemaAt, unwrap } from '../../src/configs/problems/schemaWalk.ts';
import { type CelRule, matches } from './cel.ts';

export interface StructuralSchema {
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly items?: StructuralSchema;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

export interface Additions {
  /** By path, such as `spec.headers[].name`; each takes the expression for the field. */
  readonly rules: Readonly<Record<string, (field: string) => CelRule[]>>;
  /** Whether the rules of the field at that path stand with the map around it. */
  readonly standOutside: (path: string) => boolean;
  /** Keys of lists of maps, by path; other lists are replaced as a whole. */
  readonly listMapKeys: Readonly<Record<string, readonly string[]>>;
}

/** @throws Error for a keyword that is not known here, and for an addition to a field that is not there. */
export function toStructuralSchema(schema: z.ZodType, root: string, additions: Additions): StructuralSchema {
  const used = new Set<string>();
  const converted = convert(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema, []);
  const unused = [...Object.keys(additions.rules), ...Object.keys(additions.listMapKeys)].filter(
    (path) => !used.has(path),
  );
  if (unused.length > 0) throw new Error(`the schema has no ${unused.join(', ')}`);
  return converted;

  function convert(node: JsonSchema, path: readonly string[]): StructuralSchema {
    const { description, type, required, properties, items, pattern, ...rest } = node;
    // The schema is closed: to a CRD that is the rule without saying so.
    const { $schema, additionalProperties, ...limits } = rest;
    const shown = show(path);
    const unknown = Object.keys(limits).filter((keyword) => !sizeLimits.has(keyword));
    if (unknown.length > 0) throw new Error(`${shown} has ${unknown.join(', ')}, which a CRD cannot hold`);
    used.add(shown);
    const rules = [
      ...(additions.standOutside(shown) ? [] : rulesOf(node, path, 'self')),
      ...Object.keys(properties ?? {}).flatMap((name) => rulesOutside([...path, name], node)),
    ];
    // What a field means stands first, what is inside it last.
    return {
      ...(description !== undefined && { description }),
      ...(type !== undefined && { type }),
      ...(type === 'integer' && { format: 'int32' }),
      ...limits,
      ...(type === 'array' && listType(additions.listMapKeys[shown])),
      ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
      ...(required !== undefined && { required }),
      ...(properties !== undefined && { properties: convertAll(properties, path) }),
      ...(items !== undefined && { items: convert(items, [...path, '[]']) }),
    };
  }

  function convertAll(properties: Readonly<Record<string, JsonSchema>>, path: readonly string[]) {
    return Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, convert(child, [...path, name])]),
    );
  }

  function rulesOutside(path: readonly string[], parent: JsonSchema): CelRule[] {
    const name = path.at(-1) ?? '';
    const field = parent.properties?.[name];
    if (field === undefined || !additions.standOutside(show(path))) return [];
    return rulesOf(field, path, `self.${name}`).map(({ rule, ...rest }) => ({
      rule: parent.required?.includes(name) ? rule : `!has(self.${name}) || ${rule}`,
      ...rest,
      fieldPath: `.${name}`,
    }));
  }

  function rulesOf(node: JsonSchema, path: readonly string[], field: string): CelRule[] {
    const pattern = patternOf(schemaAt(schema, path));
    const more = additions.rules[show(path)]?.(field) ?? [];
    const rules = pattern === undefined ? more : [patternRule(pattern, path, field), ...more];
    // To an empty text, minLength alone has something to say.
    if (node.minLength === undefined) return rules;
    return rules.map(({ rule, ...rest }) => ({ rule: `${field} == "" || ${rule}`, ...rest }));
  }

  function patternRule(pattern: RegExp, path: readonly string[], field: string): CelRule {
    const expectation = expectationAt(schema, path);
    if (expectation === undefined) throw new Error(`${show(path)} does not say what it must be`);
    const message = expectation.mismatch ?? `it must be ${expectation.expected}`;
    return { rule: matches(field, pattern), message };
  }

  function show(path: readonly string[]): string {
    return [root, ...path].join('.').replaceAll('.[]', '[]');
  }
}

interface JsonSchema extends Omit<StructuralSchema, 'items' | 'properties'> {
  readonly $schema?: string;
  readonly additionalProperties?: unknown;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const sizeLimits: ReadonlySet<string> = new Set([
  'default',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'maxItems',
]);

function listType(keys: readonly string[] | undefined): StructuralSchema {
  if (keys === undefined) return { 'x-kubernetes-list-type': 'atomic' };
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys };
}

/** From the schema itself: zod's conversion to JSON Schema drops the flags. */
function patternOf(schema: z.core.$ZodType | undefined): RegExp | undefined {
  for (const { _zod } of (schema && unwrap(schema)._zod.def.checks) ?? []) {
    if ('pattern' in _zod.def && _zod.def.pattern instanceof RegExp) return _zod.def.pattern;
  }
  return undefined;
}

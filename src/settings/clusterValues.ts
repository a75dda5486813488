/** The kinds of value that only the settings of CONFIG_SOURCE=kubernetes have; see values.ts. */
import { z } from 'zod';
import { listJson, type ValueKind } from './values.ts';

/** `NAMESPACE/NAME`, separated by commas. */
export function secretNames(): ValueKind<readonly string[]> {
  const schema = z.string().transform((value, context) => {
    const names = value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    const wrong = names.find((name) => !/^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/.test(name));
    if (wrong === undefined) return names;
    context.addIssue(
      `${JSON.stringify(wrong)} in it is not a Secret; it must be a comma-separated list such as audit/audit-database,audit/audit-page`,
    );
    return z.NEVER;
  });
  return { type: 'list of NAMESPACE/NAME', json: listJson, schema };
}

const bindingsSchema = z.record(
  z.string().regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/),
  z.array(z.string().min(1).max(256)),
);

/** A JSON object: namespace → organizations. */
export function organizationBindings(): ValueKind<Readonly<Record<string, readonly string[]>>> {
  const schema = z.string().transform((value, context) => {
    const parsed = bindingsSchema.safeParse(readJson(value));
    if (parsed.success) return parsed.data;
    context.addIssue(
      'it must be a JSON object of lists of organizations by namespace, such as {"flows": ["acme"], "platform": ["*"]}',
    );
    return z.NEVER;
  });
  const organizations = { type: 'array', items: { type: 'string', minLength: 1 } };
  return { type: 'JSON object', json: { type: 'object', additionalProperties: organizations }, schema };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

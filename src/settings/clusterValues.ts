/** The kinds of value that only the settings of CONFIG_SOURCE=kubernetes have; see values.ts. */
import { z } from 'zod';
import { parsedList, parsedText, type ValueKind } from './values.ts';

/** `NAMESPACE/NAME`, separated by commas. */
export function secretNames(): ValueKind<readonly string[]> {
  const rule =
    'is not a Secret; it must be a comma-separated list such as audit/audit-database,audit/audit-page';
  return parsedList('list of NAMESPACE/NAME', rule, (item) => {
    if (item === '') return [];
    return /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/.test(item) ? [item] : null;
  });
}

const bindingsSchema = z.record(
  z.string().regex(/^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/),
  z.array(z.string().min(1).max(256)),
);

/** A JSON object: namespace → organizations. */
export function organizationBindings(): ValueKind<Readonly<Record<string, readonly string[]>>> {
  const rule =
    'it must be a JSON object of lists of organizations by namespace, such as {"flows": ["acme"], "platform": ["*"]}';
  const organizations = { type: 'array', items: { type: 'string', minLength: 1 } };
  const json = { type: 'object', additionalProperties: organizations };
  return parsedText(
    'JSON object',
    rule,
    (text) => bindingsSchema.safeParse(readJson(text)).data ?? null,
    json,
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

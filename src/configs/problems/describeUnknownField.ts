/** The problem of a field that AuditExportConfig does not have. */
import type { z } from 'zod';
import type { Problem } from './problem.ts';
import { allFieldPaths, fieldsAt, type Path } from './schemaWalk.ts';
import { showPath } from './showValue.ts';
import { suggestName } from './suggest.ts';

export function describeUnknownField(schema: z.core.$ZodType, parent: Path, name: string): Problem {
  const suggestion = suggestField(schema, parent, name);
  // `- {Bearer abc}` is a map with a credential for a name.
  if (parent[0] === 'spec' && parent[1] === 'headers' && suggestion === null) {
    const allowed = fieldsAt(schema, parent).join(', ');
    return { path: parent, complaint: `has a field that does not belong there: it can have ${allowed}` };
  }
  const complaint = 'is not a field of AuditExportConfig';
  const wayOut = suggestion === null ? 'remove it' : `did you mean ${showPath(suggestion)}?`;
  return { path: [...parent, name], complaint: `${complaint}: ${wayOut}` };
}

/** A field of the same map that is spelt much like `name`, else one elsewhere (a matter of indentation), else null. */
export function suggestField(schema: z.core.$ZodType, parent: Path, name: string): Path | null {
  const sibling = suggestName(name, fieldsAt(schema, parent));
  if (sibling !== null) return [...parent, sibling];
  if (parent[0] === 'spec' && parent[1] === 'headers') return null;
  const paths = allFieldPaths(schema).filter(isWrittenByPeople);
  const match = suggestName(
    name,
    paths.map((path) => path.at(-1) ?? ''),
  );
  return paths.find((path) => path.at(-1) === match) ?? null;
}

function isWrittenByPeople([top, field]: readonly string[]): boolean {
  return top === 'spec' || (top === 'metadata' && ['name', 'namespace', 'labels'].includes(field ?? ''));
}

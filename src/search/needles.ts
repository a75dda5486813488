/** What must stand in the text of every entry that matches a query. */
import type { EntryQuery } from '../database/entryQuery.ts';
import { listSpellings } from './spellings.ts';

/** Of each list one must be there; the spellings of the query's text, if it has one, come first. */
export function listNeedles(query: EntryQuery): string[][] {
  const { actor, project } = query;
  const needles = [
    listSpellings(query.text),
    [...query.eventTypes],
    actor === null ? [] : [actor],
    project === null || project === 'none' ? [] : [project.name],
    [...query.sessionTypes],
    ...query.has.flatMap(tokensOf).map((token) => [token]),
  ];
  return needles.filter((list) => list.length > 0);
}

/** Keys and strings of a JSON document as Postgres prints them. Numbers are left out: 1.0 contains 1. */
function tokensOf(json: string): string[] {
  const tokens = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') tokens.add(JSON.stringify(value));
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        tokens.add(`${JSON.stringify(key)}: `);
        visit(inner);
      }
    }
  };
  try {
    visit(JSON.parse(json));
  } catch {
    // Postgres refuses it in a moment.
  }
  return [...tokens];
}

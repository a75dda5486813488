/** What a person asks for on the page, and the SQL conditions on an entry `e` that say it. */

import { isSearchable } from './entryBounds.ts';

export interface EntryQuery {
  readonly organization: string;
  /** Any of them; empty: all. */
  readonly eventTypes: readonly string[];
  /** Equals the actor's id or name. */
  readonly actor: string | null;
  /** Any of them; empty: all. */
  readonly sessionTypes: readonly string[];
  /** `none`: entries without a project. */
  readonly project: { readonly name: string } | 'none' | null;
  /** RFC 3339, inclusive. */
  readonly from: string | null;
  /** RFC 3339, exclusive. */
  readonly to: string | null;
  /** Substring of the entry's text, in any case; empty: none. */
  readonly text: string;
  /** JSON documents that the metadata must contain (`@>`). Anything that is not JSON makes the query fail. */
  readonly has: readonly string[];
}

/** Bound parameters of a statement under construction. */
export class Parameters {
  readonly values: unknown[] = [];

  /** `$n`, cast to `type`. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** True when there is nothing to look at but organization, time and event type, which indexes have. */
export function isIndexed(query: EntryQuery): boolean {
  return (
    query.text === '' &&
    query.actor === null &&
    query.project === null &&
    query.sessionTypes.length === 0 &&
    query.has.length === 0
  );
}

/** Postgres stores no NUL: a query with one in it matches nothing, and would be an error. */
export function hasNul(query: EntryQuery): boolean {
  const { project } = query;
  const texts = [
    query.organization,
    query.text,
    query.actor ?? '',
    ...query.eventTypes,
    ...query.sessionTypes,
  ];
  if (project !== null && project !== 'none') texts.push(project.name);
  return (
    [...texts, ...query.has].some((text) => text.includes('\0')) ||
    query.has.some((json) => json.includes('\\u0000'))
  );
}

/** The text that `text` is looked for in: folded, see migration 0002. Compared byte by byte, whatever the database's collation. */
const searchText =
  'audit.search_text(e.event_type, e.actor_id, e.actor_name, e.session_type, e.project, e.metadata) collate "C"';

/**
 * Everything of `query` but organization and time, as one SQL condition. `forms`: the spellings of its text, folded; any of
 * them counts, and an entry too large to search counts as well: it may hold it.
 */
export function entryCondition(query: EntryQuery, forms: readonly string[], parameters: Parameters): string {
  const conditions: string[] = [];
  if (query.eventTypes.length > 0)
    conditions.push(`e.event_type = any (${parameters.add(query.eventTypes, 'text[]')})`);
  if (query.sessionTypes.length > 0)
    conditions.push(`e.session_type = any (${parameters.add(query.sessionTypes, 'text[]')})`);
  if (query.actor !== null) {
    const actor = parameters.add(query.actor, 'text');
    conditions.push(`(e.actor_id = ${actor} or e.actor_name = ${actor})`);
  }
  if (query.project === 'none') conditions.push('e.project is null');
  else if (query.project !== null)
    conditions.push(`e.project = ${parameters.add(query.project.name, 'text')}`);
  for (const json of query.has) conditions.push(`e.metadata @> ${parameters.add(json, 'jsonb')}`);
  if (forms.length > 0) {
    const found = forms.map((form) => `strpos(${searchText}, ${parameters.add(form, 'text')}) > 0`);
    conditions.push(`case when ${isSearchable} then ${found.join(' or ')} else true end`);
  }
  return conditions.length === 0 ? 'true' : conditions.join(' and ');
}

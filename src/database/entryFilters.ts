/**
 * The table of filters, a row each: the SQL condition on an entry `e`, and what the search index is probed for. Queries, the choice of
 * index and searches follow from it. The page has a table of the same filters (web/list/filterTable.ts).
 */
import { isSearchable } from './entryBounds.ts';
import type { EntryFilter } from './entryFilter.ts';
import { listSpellings, listTokens } from './spellings.ts';
import { undelivered } from './undelivered.ts';

function anyOf(column: 'event_type' | 'session_type'): EntryFilter<readonly string[]> {
  return {
    none: [],
    condition: (values, parameters) => `e.${column} = any (${parameters.add(values, 'text[]')})`,
    needles: (values) => [values],
  };
}

/** The actor's id or name. */
const actor: EntryFilter<string, null> = {
  none: null,
  condition: (value, parameters) => {
    const name = parameters.add(value, 'text');
    return `(e.actor_id = ${name} or e.actor_name = ${name})`;
  },
  needles: (value) => [[value]],
};

/** `none`: entries without a project. */
const project: EntryFilter<{ readonly name: string } | 'none', null> = {
  none: null,
  condition: (value, parameters) =>
    value === 'none' ? 'e.project is null' : `e.project = ${parameters.add(value.name, 'text')}`,
  needles: (value) => (value === 'none' ? [] : [[value.name]]),
};

/** JSON documents that the metadata must contain (`@>`). Anything that is not JSON makes the query fail. */
const has: EntryFilter<readonly string[]> = {
  none: [],
  condition: (documents, parameters) =>
    documents.map((json) => `e.metadata @> ${parameters.add(json, 'jsonb')}`).join(' and '),
  needles: (documents) => documents.flatMap(listTokens).map((token) => [token]),
};

/** Folded, see migration 0002. Compared byte by byte, whatever the database's collation. */
const searchText =
  'audit.search_text(e.event_type, e.actor_id, e.actor_name, e.session_type, e.project, e.metadata) collate "C"';

/** A substring of the entry's text, in any case. An entry too large to search counts as a match: it may hold it. */
const text: EntryFilter<string> = {
  none: '',
  condition: (_text, parameters, forms) => {
    const found = forms.map((form) => `strpos(${searchText}, ${parameters.add(form, 'text')}) > 0`);
    return `case when ${isSearchable} then ${found.join(' or ')} else true end`;
  },
  needles: (value) => [listSpellings(value)],
};

/** `text` stays last: its condition costs most, and its needles are probed first. */
export const entryFilters = {
  eventTypes: anyOf('event_type'),
  sessionTypes: anyOf('session_type'),
  actor,
  project,
  has,
  undelivered,
  text,
};

/** A value for each filter. */
export type Conditions = {
  readonly [Name in keyof typeof entryFilters]: (typeof entryFilters)[Name] extends EntryFilter<
    infer Value,
    infer None
  >
    ? Value | None
    : never;
};

/**
 * The table of filters, a row each: the SQL condition on an entry `e`, and what the search index is probed for. Queries, the choice of
 * index and searches follow from it. The page has a table of the same filters (web/list/filterTable.ts).
 */
import { isSearchable } from './entryBounds.ts';
import type { EntryFilter, TextForms } from './entryFilter.ts';
import { parseSearch } from './searchTerms.ts';
import { listSpellings, listTokens } from './spellings.ts';
import { undelivered } from './undelivered.ts';

function anyOf(column: 'event_type' | 'session_type'): EntryFilter<readonly string[]> {
  return {
    none: [],
    condition: (values, parameters) => `e.${column} = any (${parameters.add(values, 'text[]')})`,
    needles: (values) => [values],
  };
}

/** By the actor's id or name. */
const actors: EntryFilter<readonly string[]> = {
  none: [],
  condition: (values, parameters) => {
    const names = parameters.add(values, 'text[]');
    return `(e.actor_id = any (${names}) or e.actor_name = any (${names}))`;
  },
  needles: (values) => [values],
};

/** null: entries without a project. */
const projects: EntryFilter<ReadonlyArray<string | null>> = {
  none: [],
  condition: (values, parameters) => {
    const named = `e.project = any (${parameters.add(withoutNull(values), 'text[]')})`;
    return values.includes(null) ? `(e.project is null or ${named})` : named;
  },
  needles: (values) => (values.includes(null) ? [] : [withoutNull(values)]),
};

const withoutNull = (values: ReadonlyArray<string | null>): string[] =>
  values.filter((value) => value !== null);

/** The opposite of a filter by a list: entries that have none of these values. */
function noneOf<T>(filter: EntryFilter<readonly T[]>): EntryFilter<readonly T[]> {
  return {
    none: [],
    // A comparison with a column that is null is null.
    condition: (values, parameters, forms) => `(${filter.condition(values, parameters, forms)}) is not true`,
    needles: () => [],
  };
}

const [eventTypes, sessionTypes] = [anyOf('event_type'), anyOf('session_type')];

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

/**
 * Pieces of the entry's text, in any case: it holds all of the terms, and none of those left out. An entry too large to search counts as a
 * match: it may hold them.
 */
const text: EntryFilter<string> = {
  none: '',
  condition: (_text, parameters, { all, none }) => {
    // Folding the text takes most of the time: for several pieces it is done once, behind a fence; for one that would cost more.
    const isOne = [...all, ...none].flat().length === 1;
    const text = isOne ? searchText : 'folded';
    const anyOf = (spellings: readonly string[]): string =>
      `(${spellings.map((form) => `strpos(${text}, ${parameters.add(form, 'text')}) > 0`).join(' or ')})`;
    const holds = [...all.map(anyOf), ...none.map((spellings) => `not ${anyOf(spellings)}`)].join(' and ');
    const found = isOne ? holds : `(select ${holds} from (select ${searchText} as folded offset 0) searched)`;
    return `case when ${isSearchable} then ${found} else true end`;
  },
  needles: (value) => spellTerms(value).all,
};

/** The spellings of each term of a search, not folded yet. */
export function spellTerms(typed: string): TextForms {
  const terms = parseSearch(typed).map(({ text, isExcluded }) => ({
    isExcluded,
    spellings: listSpellings(text),
  }));
  const [none = [], all = []] = [true, false].map((isExcluded) =>
    terms.filter((term) => term.isExcluded === isExcluded).map(({ spellings }) => spellings),
  );
  return { all, none };
}

/** `text` stays last: its condition costs most, and its needles are probed first. */
export const entryFilters = {
  eventTypes,
  notEventTypes: noneOf(eventTypes),
  sessionTypes,
  notSessionTypes: noneOf(sessionTypes),
  actors,
  notActors: noneOf(actors),
  projects,
  notProjects: noneOf(projects),
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

/**
 * The table of filters, a row each: the SQL condition on an entry `e`, and what the search index is probed for. Queries, the choice of
 * index and searches follow from it. The page has a table of the same filters (web/list/filterTable.ts).
 */
import { isSearchable } from './entryBounds.ts';
import type { Parameters } from './parameters.ts';
import { listSpellings, listTokens } from './spellings.ts';

/** `None` is the type of the value that lets every entry through. */
export interface EntryFilter<T, None = T> {
  readonly none: None;
  /** Never called for `none`. `forms`: the folded spellings of the searched text. */
  condition(value: T, parameters: Parameters, forms: readonly string[]): string;
  /** What the text of every match holds: at least one of each list. Empty where nothing is certain. */
  needles(value: T): ReadonlyArray<readonly string[]>;
}

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

/**
 * Streams, by the keys of their configs, of which at least one has not delivered the entry: it is parked there, or pending. Says what
 * deliveries.ts says of one entry.
 */
const undelivered: EntryFilter<readonly string[]> = {
  none: [],
  condition: (keys, parameters) => `exists (select from audit.streams s
    where s.organization = e.organization and s.config_key = any (${parameters.add(keys, 'text[]')}) and (
      exists (select from audit.parked p where p.stream = s.id and p.entry_id = e.id)
      or not exists (select from audit.replayed r where r.stream = s.id and r.entry_id = e.id)
        and not coalesce(pg_visible_in_snapshot(e.xid, case when s.cluster = e.cluster then s.settled
          else (s.other_clusters ->> e.cluster::text)::pg_snapshot end), false)
        and not coalesce(s.cluster = e.cluster and pg_visible_in_snapshot(e.xid, s.window_snapshot)
          and (e.xid, e.id) <= (s.position_xid, s.position_id), false)))`,
  needles: () => [],
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

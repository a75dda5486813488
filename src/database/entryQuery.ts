/** What a person asks for on the page: filters, an organization and a range of time. */
import { isDeepStrictEqual } from 'node:util';
import type { EntryFilter, TextForms } from './entryFilter.ts';
import { type Conditions, entryFilters } from './entryFilters.ts';
import type { Parameters } from './parameters.ts';

export interface EntryQuery extends Conditions {
  readonly organization: string;
  /** RFC 3339, inclusive. */
  readonly from: string | null;
  /** RFC 3339, exclusive. */
  readonly to: string | null;
}

const rows = Object.entries(entryFilters) as ReadonlyArray<[keyof Conditions, EntryFilter<unknown>]>;

/** Lets every entry through. */
export const noConditions = Object.fromEntries(
  rows.map(([name, filter]) => [name, filter.none]),
) as unknown as Conditions;

/** The filters that leave something out, in the table's order. */
function listActive(query: EntryQuery) {
  return rows
    .map(([name, filter]) => ({ name, filter, value: query[name] }))
    .filter(({ filter, value }) => !isDeepStrictEqual(value, filter.none));
}

/** True when nothing but organization, time and event type is asked for, which indexes have. */
export function isIndexed(query: EntryQuery): boolean {
  return listActive(query).every(({ name }) => name === 'eventTypes');
}

/** A query for the ids of all that may match, where a filter knows them; null: none does. At most `most` of them matter. */
export function idsQuery(query: EntryQuery, most: number, parameters: Parameters): string | null {
  const { organization } = query;
  const known = listActive(query).flatMap(
    ({ filter, value }) => filter.ids?.(value, { organization, most }, parameters) ?? [],
  );
  return known[0] ?? null;
}

/** Postgres stores no NUL: a query with one in it matches nothing, and would be an error. */
export function hasNul(query: EntryQuery): boolean {
  return holdsNul(query) || query.has.some((json) => json.includes('\\u0000'));
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNul);
}

/**
 * What the text of every match holds: at least one of each list. The spellings of the terms of the query's text, if it has one, come
 * first: they rule out most.
 */
export function listNeedles(query: EntryQuery): Array<readonly string[]> {
  return listActive(query)
    .toReversed()
    .flatMap(({ filter, value }) => filter.needles(value));
}

/** Everything of `query` but organization and time, as one SQL condition. `forms`: the folded spellings of its text's terms. */
export function entryCondition(query: EntryQuery, forms: TextForms, parameters: Parameters): string {
  const quiet = leavesOutQuiet(query) ? [isNotQuiet] : [];
  const active = listActive(query).map(({ filter, value }) => filter.condition(value, parameters, forms));
  const conditions = [...quiet, ...active];
  return conditions.length === 0 ? 'true' : conditions.join(' and ');
}

/**
 * What the page writes about looking, downloading and trying, as opposed to changing something. These entries repeat what somebody has
 * searched for or typed, so they would be the first that the same search finds the next time.
 */
export const quietTypes = [
  'audit_export.request_failed',
  'audit_export.requested',
  'audit_export.settings_viewed',
  'audit_export.tested',
  'audit_logs.exported',
] as const;

const isNotQuiet = `e.event_type <> all ('{${quietTypes.join(',')}}')`;

/** True when entries of `quietTypes` are left out: a text is searched for in entries of all types. */
export function leavesOutQuiet(query: Pick<EntryQuery, 'text' | 'eventTypes'>): boolean {
  return query.text !== '' && query.eventTypes.length === 0;
}

/**
 * Turns the URL into the state of the list, and back: the address holds all of it.
 *
 *   URL → Filters → EntryQuery (search)   and   Filters → canonical URL
 *
 * Promises: whatever somebody types into the address, the result is a valid filter, and `problems` says what was ignored; the
 * canonical form has sorted keys and nothing empty, and reading it again gives the same filter.
 *
 * Not here: what each filter does (filterTable.ts).
 */
import { z } from 'zod';
import { type Cursor, decodeCursor, encodeCursor } from '../../database/cursor.ts';
import { type EntryQuery, noConditions } from '../../database/entryQuery.ts';
import { AddressReader, type FilterRow } from './filterRow.ts';
import { type Filters, filterTable } from './filterTable.ts';
import { defaultTime, toBounds } from './timeRange.ts';

const rows = Object.entries(filterTable) as ReadonlyArray<[keyof Filters, FilterRow<unknown>]>;

export const noFilters: Filters = { ...noConditions, time: defaultTime };

export interface ParsedFilters {
  readonly filters: Filters;
  /** Where an older page begins; null: at the newest. */
  readonly before: Cursor | null;
  /** One sentence for each value that was ignored. */
  readonly problems: readonly string[];
}

const cursorSchema = z
  .string()
  .transform(decodeCursor)
  .pipe(z.custom<Cursor>((cursor) => cursor !== null));

/** Reads a query string; ignores unknown names. */
export function parseFilters(parameters: URLSearchParams): ParsedFilters {
  const address = new AddressReader(parameters);
  const filters = Object.fromEntries(
    rows.map(([name, row]) => [name, row.read(address)]),
  ) as unknown as Filters;
  const before = address.one(cursorSchema, 'before', 'a place in the list');
  return { filters, before, problems: address.problems };
}

/** Each filter with its row and its value, in the order of the chips. */
export function listFilters(filters: Filters) {
  return rows.map(([name, row]) => ({ name, row, value: filters[name] as unknown }));
}

/** The canonical query string, without `?`; empty for the default filter. */
export function toSearch(filters: Filters, before: Cursor | null = null): string {
  const search = new URLSearchParams();
  for (const { row, value } of listFilters(filters))
    for (const [key, printed] of row.print(value)) search.append(key, printed);
  if (before) search.append('before', encodeCursor(before));
  search.sort();
  return search.toString();
}

/** What to look for, as of `now`. */
export function toEntryQuery({ time, ...conditions }: Filters, organization: string, now: Date): EntryQuery {
  return { organization, ...conditions, ...toBounds(time, now) };
}

/** Whether anything but the range of time is asked for. */
export function hasConditions(filters: Filters): boolean {
  return toSearch({ ...filters, time: noFilters.time }) !== '';
}

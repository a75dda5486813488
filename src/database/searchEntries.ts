/** The statements of a search in time order: filtered slices, each bounded by what it reads, not by what it finds. */
import type { Reader } from './boundedRead.ts';
import { type Cursor, maxEntryId } from './cursor.ts';
import { type EntryView, utcMicroseconds, viewColumns } from './entries.ts';
import { isSearchable } from './entryBounds.ts';
import type { TextForms } from './entryFilter.ts';
import { spellTerms } from './entryFilters.ts';
import { type EntryQuery, entryCondition, idsQuery, listNeedles } from './entryQuery.ts';
import { Parameters } from './parameters.ts';

export type Direction = 'older' | 'newer';

export interface Hit extends EntryView {
  /** Metadata around a hit: of the first term that it holds. null: the hits are in other columns, or nothing is looked for. */
  readonly excerpt: string | null;
  /** False: the query has a text, and the entry is too large to search; it may or may not hold the text. */
  readonly isSearched: boolean;
}

/** Entries at or after `low` and before `high`, in the order (occurred_at, id). */
export interface Range {
  readonly low: Cursor;
  readonly high: Cursor;
}

/** A query whose times and spellings Postgres has parsed. */
export interface Prepared {
  readonly query: EntryQuery;
  /** Which entries of the range come first. */
  readonly direction: Direction;
  readonly range: Range;
  /** At least one of each list stands in the text of every match; folded. */
  readonly needles: readonly (readonly string[])[];
  /** Folded spellings of the terms of the text; empty: there are none. */
  readonly forms: TextForms;
  /** The moment of the read. */
  readonly mark: { readonly cluster: string; readonly snapshot: string };
}

/** The limits of an entry's time; see the checks of audit.entries. */
const earliest = '1970-01-01T00:00:00.000000Z';
const latest = '2200-01-01T00:00:00.000000Z';

/** Reads the query's times, and folds its needles as the searched text is folded. */
export async function prepareQuery(
  reader: Reader,
  query: EntryQuery,
  direction: Direction = 'older',
): Promise<Prepared> {
  const needles = listNeedles(query);
  const terms = spellTerms(query.text);
  const clamped = (n: number): string =>
    utcMicroseconds(`greatest('${earliest}', least('${latest}', $${n}::timestamptz))`);
  const [row] = await reader.query<{
    low: string | null;
    high: string | null;
    folded: string[];
    cluster: string;
    snapshot: string;
  }>(
    `select ${clamped(1)} as low, ${clamped(2)} as high,
       array(select audit.fold(needle) from unnest($3::text[]) with ordinality as n(needle, i) order by i) as folded,
       audit.cluster_id()::text as cluster, pg_current_snapshot()::text as snapshot`,
    [query.from ?? earliest, query.to ?? latest, [needles, terms.all, terms.none].flat(2)],
  );
  const folded = (row?.folded ?? []).values();
  const regroup = (lists: ReadonlyArray<readonly string[]>): string[][] =>
    lists.map((list) => [...new Set(list.map(() => folded.next().value ?? ''))]);
  return {
    query,
    direction,
    range: {
      low: { occurredAt: row?.low ?? earliest, id: '0' },
      high: { occurredAt: row?.high ?? latest, id: '0' },
    },
    needles: regroup(needles),
    forms: { all: regroup(terms.all), none: regroup(terms.none) },
    mark: { cluster: row?.cluster ?? '0', snapshot: row?.snapshot ?? '1:1:' },
  };
}

/** The rest of a query past `cursor`, in its direction. */
export function restPast(prepared: Prepared, cursor: Cursor): Prepared {
  const { range, direction } = prepared;
  return {
    ...prepared,
    range: direction === 'older' ? { ...range, high: cursor } : { ...range, low: after(cursor) },
  };
}

/** The beginning of a query up to and including `cursor`, in its direction. */
export function beginningUpTo(prepared: Prepared, cursor: Cursor): Prepared {
  const { range, direction } = prepared;
  return {
    ...prepared,
    range: direction === 'older' ? { ...range, low: cursor } : { ...range, high: after(cursor) },
  };
}

/** The place right after `cursor` in ascending order. */
function after({ occurredAt, id }: Cursor): Cursor {
  return { occurredAt, id: id === maxEntryId ? id : (BigInt(id) + 1n).toString() };
}

/** Reads a keyset page of a query that an index serves: newest (or oldest) first, at most `limit`. */
export function readIndexed(reader: Reader, prepared: Prepared, limit: number): Promise<Hit[]> {
  const parameters = new Parameters();
  const most = parameters.add(limit, 'int');
  const source = entriesOf(prepared, prepared.query.eventTypes, parameters, most);
  return reader.query(
    `select ${viewColumns}, null as excerpt, true as "isSearched" from ${source} ${orderBy(prepared.direction)} limit ${most}`,
    parameters.values,
  );
}

export interface Slice {
  readonly rows: number;
  /** The last entry of the slice in its direction. */
  readonly end: Cursor;
}

/** What the metadata of a slice may take as it is stored: 4 MiB. */
const storedBytesPerSlice = 4 * 1024 * 1024;

/**
 * Where a slice of at most `maxRows` entries (and about 4 MiB, at least one entry) at the beginning of the range ends. Null:
 * the range is empty. Of a query with few event types only entries of these count.
 */
export async function measureSlice(
  reader: Reader,
  prepared: Prepared,
  maxRows: number,
): Promise<Slice | null> {
  const parameters = new Parameters();
  const limit = parameters.add(maxRows, 'int');
  const { query, direction } = prepared;
  const source = entriesOf(prepared, sliceTypes(query), parameters, limit);
  const order = orderBy(direction);
  const [last] = await reader.query<{ rows: string; occurredAt: string; id: string }>(
    `select count(*) over () as rows, ${utcMicroseconds('e.occurred_at')} as "occurredAt", e.id::text
     from (select e.occurred_at, e.id, sum(e.size) over (${order} rows unbounded preceding) - e.size as before
       from (select e.occurred_at, e.id, pg_column_size(e.metadata) as size from ${source} ${order} limit ${limit}) e) e
     where e.before < ${storedBytesPerSlice}
     ${orderBy(direction === 'older' ? 'newer' : 'older')} limit 1`,
    parameters.values,
  );
  return last ? { rows: Number(last.rows), end: { occurredAt: last.occurredAt, id: last.id } } : null;
}

/** Reads the whole range and returns its first `limit` matches. */
export function filterRange(reader: Reader, prepared: Prepared, limit: number): Promise<Hit[]> {
  const parameters = new Parameters();
  const source = entriesOf(prepared, sliceTypes(prepared.query), parameters, null);
  return readHits(reader, prepared, parameters, source, limit);
}

/**
 * Reads all rows `e` of `source` and returns the first `limit` matches. Goes through a materialized set: if the planner saw the
 * limit, it would walk the time order in the hope of an early match.
 */
export function readHits(
  reader: Reader,
  { query, direction, forms }: Prepared,
  parameters: Parameters,
  source: string,
  limit: number,
): Promise<Hit[]> {
  const condition = entryCondition(query, forms, parameters);
  const shown = forms.all.flat();
  const hasText = query.text !== '';
  const excerpt =
    shown.length > 0 ? `case when "isSearched" then ${excerptOf(shown, parameters)} end` : 'null';
  return reader.query(
    `with matching as materialized (select e.id, e.occurred_at from ${source} where ${condition})
     select ${viewColumns}, ${excerpt} as excerpt, "isSearched"
     from (select e.id from matching e ${orderBy(direction)} limit ${parameters.add(limit, 'int')}) m
     join audit.entries e on e.id = m.id cross join lateral (select ${hasText ? isSearchable : 'true'} as "isSearched" offset 0) searched ${orderBy(direction)}`,
    parameters.values,
  );
}

/**
 * The first `limit` matches of a query that can match a few entries only; null: it has no such filter, or more than `most` may match.
 * Reads these and no other, however many there are in the range.
 */
export async function readFew(
  reader: Reader,
  prepared: Prepared,
  most: number,
  limit: number,
): Promise<Hit[] | null> {
  const few = await listFew(reader, prepared, most);
  if (few === null) return null;
  const parameters = new Parameters();
  return await readHits(reader, prepared, parameters, fewSource(prepared, few, parameters), limit);
}

/** The ids of all that may match; null: as for `readFew`. */
export async function listFew(reader: Reader, prepared: Prepared, most: number): Promise<string[] | null> {
  const listing = new Parameters();
  const ids = idsQuery(prepared.query, most + 1, listing);
  if (ids === null) return null;
  const found = await reader.query<{ id: string }>(
    `select id::text from (${ids}) few limit ${listing.add(most + 1, 'int')}`,
    listing.values,
  );
  return found.length > most ? null : found.map(({ id }) => id);
}

/** The entries of the range among these ids. Fenced, so that the time range does not make the planner read in time order. */
export function fewSource(prepared: Prepared, ids: readonly string[], parameters: Parameters): string {
  const few = parameters.add(ids, 'bigint[]');
  return `(select * from (select * from audit.entries e where e.id = any (${few}) offset 0) e
    where e.organization = ${parameters.add(prepared.query.organization, 'text')} and ${inRange(prepared.range, parameters)}) e`;
}

/** `(occurred_at, id)` of `e` lies in `range`. */
export function inRange(range: Range, parameters: Parameters): string {
  const low = key(range.low, parameters);
  return `(e.occurred_at, e.id) >= (${low}) and (e.occurred_at, e.id) < (${key(range.high, parameters)})`;
}

function key({ occurredAt, id }: Cursor, parameters: Parameters): string {
  return `${parameters.add(occurredAt, 'timestamptz')}, ${parameters.add(id, 'bigint')}`;
}

function orderBy(direction: Direction): string {
  const sorted = direction === 'older' ? 'desc' : 'asc';
  return `order by e.occurred_at ${sorted}, e.id ${sorted}`;
}

/** With many event types it is cheaper to skip the others while reading. */
function sliceTypes(query: EntryQuery): readonly string[] {
  return query.eventTypes.length <= 4 ? query.eventTypes : [];
}

/**
 * Rows of the range as `e`, the first `limit` of them (null: all), limited to `eventTypes` unless that is empty. Each type is then a stretch of entries_by_type: no other
 * index can serve the comparison of three columns.
 */
function entriesOf(
  { query, range, direction }: Prepared,
  eventTypes: readonly string[],
  parameters: Parameters,
  limit: string | null,
): string {
  const organization = parameters.add(query.organization, 'text');
  if (eventTypes.length === 0) {
    const limited = limit === null ? '' : `${orderBy(direction)} limit ${limit}`;
    return `(select * from audit.entries e where e.organization = ${organization} and ${inRange(range, parameters)} ${limited}) e`;
  }
  const types = parameters.add([...new Set(eventTypes)], 'text[]');
  const sorted = direction === 'older' ? 'desc' : 'asc';
  const limited =
    limit === null
      ? ''
      : `order by e.event_type ${sorted}, e.occurred_at ${sorted}, e.id ${sorted} limit ${limit}`;
  const low = key(range.low, parameters);
  const high = key(range.high, parameters);
  return `(select e.* from unnest(${types}) t cross join lateral (select * from audit.entries e
      where e.organization = ${organization} and (e.event_type, e.occurred_at, e.id) >= (t, ${low})
        and (e.event_type, e.occurred_at, e.id) < (t, ${high}) ${limited}) e) e`;
}

const excerptBefore = 60;
const excerptLength = 160;

function excerptOf(forms: readonly string[], parameters: Parameters): string {
  const places = forms.map((form) => `nullif(strpos(folded, ${parameters.add(form, 'text')}), 0)`);
  return `(select case when at > ${excerptBefore + 1} then '…' else '' end
      || substr(original, greatest(1, at - ${excerptBefore}), ${excerptLength})
      || case when char_length(original) >= greatest(1, at - ${excerptBefore}) + ${excerptLength} then '…' else '' end
    from (select original, coalesce(${places.join(', ')}) as at
      from (select e.metadata::text as original, audit.fold(e.metadata::text) collate "C" as folded offset 0) texts offset 0) found
    where at is not null)`;
}

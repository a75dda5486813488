/** Counts the matches of a query by a value: the statements, each of which reads stretches of time, blocks, or known entries. */
import type { Reader } from './boundedRead.ts';
import { utcMicroseconds } from './entries.ts';
import { type EntryQuery, entryCondition, isIndexed } from './entryQuery.ts';
import { Parameters } from './parameters.ts';
import { inRange, type Prepared } from './searchEntries.ts';

/** What entries `e` are counted by, as SQL. */
export interface CountBy {
  /** null: all entries of a source together. */
  value(parameters: Parameters): string | null;
  /** A name for the value. */
  readonly label?: string;
  /** A condition for entries that are counted. */
  readonly isCounted?: string;
}

export interface Count {
  /** The stretch of time, from 0; null: the source was none. */
  readonly slice: number | null;
  readonly value: string | null;
  readonly label: string | null;
  readonly count: number;
}

/** A stretch of time, RFC 3339: `low` inclusive, `high` exclusive. */
export interface Slice {
  readonly low: string;
  readonly high: string;
}

/** The most values of one source; the most frequent. */
const mostValues = 1_000;

/** The values of each kind of choice. A value longer than a filter's 256 characters is left out by its stored length, unread. */
export const choices = {
  type: choice('e.event_type'),
  actor: choice("coalesce(nullif(e.actor_id, ''), e.actor_name)", 'max(e.actor_name)', isShort('actor_name')),
  project: choice('e.project'),
  session: choice('e.session_type'),
} as const satisfies Readonly<Record<string, CountBy>>;

export type Choice = keyof typeof choices;

function choice(value: string, label = 'null', isLabelShort = 'true'): CountBy {
  const columns = [...value.matchAll(/e\.(\w+)/g)].map(([, column = '']) => isShort(column));
  return { value: () => value, label, isCounted: [...columns, isLabelShort].join(' and ') };
}

function isShort(column: string): string {
  return `coalesce(octet_length(e.${column}), 0) <= 1024`;
}

/** By stretches of time that meet at `edges`, sorted: 1 for the first, the number of edges for what comes after the last. */
export function byEdges(edges: readonly string[]): CountBy {
  return {
    value: (parameters) => `width_bucket(e.occurred_at, ${parameters.add(edges, 'timestamptz[]')})::text`,
  };
}

export const together: CountBy = { value: () => null };

/**
 * Counts in each slice, one after the other; `onSlice` follows what `onCount` got of a slice. Whatever came before a timeout counts.
 *
 * Each slice is a stretch of an index: one statement over all of it would have nothing to show when its time is up.
 */
export async function countSlices(
  reader: Reader,
  prepared: Prepared,
  by: CountBy,
  slices: readonly Slice[],
  { onCount, onSlice }: { onCount: (count: Count) => void; onSlice: (slice: number) => void },
): Promise<void> {
  const parameters = new Parameters();
  const bound = (pick: (slice: Slice) => string): string => parameters.add(slices.map(pick), 'timestamptz[]');
  const types = sliceTypes(prepared.query);
  // Beside the comparison of rows, the list of types would make Postgres read each type from its beginning.
  const rest = types.length === 0 ? prepared : { ...prepared, query: { ...prepared.query, eventTypes: [] } };
  const counted = countIn(rest, by, sliceSource(prepared.query, types, parameters), parameters);
  const text = `select (s.i - 1)::int as slice, c.value, c.label, c.count
     from unnest(${bound(({ low }) => low)}, ${bound(({ high }) => high)}) with ordinality as s(low, high, i)
     cross join lateral ((${counted}) union all (select null, null, -1)) c`;
  await reader.each<Count & { slice: number }>(text, parameters.values, (row) => {
    if (row.count === -1) onSlice(row.slice);
    else onCount(row);
  });
}

/** Counts in a source that `makeSource` builds. */
export function countSource(
  reader: Reader,
  prepared: Prepared,
  by: CountBy,
  makeSource: (parameters: Parameters) => string,
): Promise<Count[]> {
  const parameters = new Parameters();
  const counted = countIn(prepared, by, makeSource(parameters), parameters);
  return reader.query<Count>(`select null::int as slice, c.* from (${counted}) c`, parameters.values);
}

function countIn({ query, forms }: Prepared, by: CountBy, source: string, parameters: Parameters): string {
  const value = by.value(parameters);
  const condition = `${by.isCounted ?? 'true'} and ${entryCondition(query, forms, parameters)}`;
  const grouped = value === null ? '' : `group by 1 order by 3 desc limit ${mostValues}`;
  return `select ${value ?? 'null'}::text as value, ${by.label ?? 'null'}::text as label, count(*)::int as count
    from ${source} where ${condition} ${grouped}`;
}

/** With more types it is cheaper to skip the others while reading, and so it is where each text is read. */
function sliceTypes(query: EntryQuery): readonly string[] {
  const types = [...new Set(query.eventTypes)];
  return query.text === '' && types.length <= (isIndexed(query) ? 20 : 4) ? types : [];
}

/** Entries of the slice `s`; see `entriesOf` in searchEntries.ts for why a type is compared in a row. */
function sliceSource(
  { organization: name }: EntryQuery,
  types: readonly string[],
  parameters: Parameters,
): string {
  const organization = parameters.add(name, 'text');
  if (types.length === 0)
    return `(select * from audit.entries e where e.organization = ${organization}
      and e.occurred_at >= s.low and e.occurred_at < s.high) e`;
  return `(select e.* from unnest(${parameters.add(types, 'text[]')}) t cross join lateral (select * from audit.entries e
    where e.organization = ${organization} and (e.event_type, e.occurred_at) >= (t, s.low) and (e.event_type, e.occurred_at) < (t, s.high)) e) e`;
}

export interface TimeBounds {
  readonly oldest: string;
  readonly newest: string;
}

/** The first and the last moment of an entry of the organization in the range, whatever the conditions; null: there is none. */
export async function readTimeBounds(reader: Reader, { query, range }: Prepared): Promise<TimeBounds | null> {
  const parameters = new Parameters();
  const where = `from audit.entries e where e.organization = ${parameters.add(query.organization, 'text')} and ${inRange(range, parameters)}`;
  const end = (order: 'asc' | 'desc'): string =>
    `(select ${utcMicroseconds('e.occurred_at')} ${where} order by e.occurred_at ${order}, e.id ${order} limit 1)`;
  const [row] = await reader.query<{ oldest: string | null; newest: string | null }>(
    `select ${end('asc')} as oldest, ${end('desc')} as newest`,
    parameters.values,
  );
  return row?.oldest && row.newest ? { oldest: row.oldest, newest: row.newest } : null;
}

/** Reads what the list shows: entries, and for a whole page the choices of its filters. */
import { listEventTypes, readFacets } from '../../database/facets.ts';
import { encodeMark } from '../../database/newEntries.ts';
import { findEntries } from '../../search/findEntries.ts';
import { logsUrl } from '../urls.ts';
import type { AuditLogsView, ResultsView, RowsView } from '../views/listViews.ts';
import type { WebContext } from '../visit.ts';
import { readTroubleSoon } from './exportTrouble.ts';
import { type Choices, makeChips, makeClearUrl, makeFilterBar } from './filterBar.ts';
import { type ParsedFilters, toEntryQuery, toSearch } from './filters.ts';
import { makeEmpty, readFuture } from './listNotices.ts';
import { describeCount, makeMore, makeRows, pageSize } from './rows.ts';

export interface ListRequest {
  readonly context: WebContext;
  readonly organization: string;
  readonly parsed: ParsedFilters;
  readonly signal: AbortSignal;
}

/** Reads the whole list. */
export async function readList(list: ListRequest): Promise<AuditLogsView> {
  const { organization, parsed } = list;
  const [results, choices, trouble] = await Promise.all([
    readResults(list),
    readChoices(list),
    readTroubleSoon(list),
  ]);
  return {
    exportUrl: logsUrl(organization, '', '/export'),
    filterBar: makeFilterBar(parsed.filters, organization, choices),
    trouble,
    results,
  };
}

/** Reads the part below the filters. */
export async function readResults({
  context,
  organization,
  parsed,
  signal,
}: ListRequest): Promise<ResultsView> {
  const { filters, before, problems } = parsed;
  const now = new Date();
  const query = toEntryQuery(filters, organization, now);
  const found = await findEntries(context.db, query, before, { limit: pageSize, signal });
  const search = toSearch(filters);
  const more = makeMore(found, filters, organization, 0);
  const isOpenEnded = before === null && ('preset' in filters.time || filters.time.to === null);
  const url = logsUrl(organization, toSearch(filters, before));
  return {
    url,
    title: `Audit logs · ${organization}`,
    text: filters.text,
    chips: makeChips(filters, organization),
    clearUrl: makeClearUrl(filters, organization),
    problems,
    rows: makeRows(found.entries, organization, search),
    more,
    empty:
      found.entries.length === 0 && more.kind === 'end'
        ? makeEmpty(filters, organization, before !== null)
        : null,
    liveUrl:
      isOpenEnded && found.mark
        ? logsUrl(organization, withKeys(search, { since: encodeMark(found.mark), live: '1' }), '/newer')
        : null,
    future: before === null ? await readFuture(context.db, filters, organization, now) : null,
    status: describeCount(found.entries.length, more.kind !== 'end'),
    downloads: {
      csvUrl: logsUrl(organization, search, '/entries.csv'),
      ndjsonUrl: logsUrl(organization, search, '/entries.ndjson'),
    },
    newestUrl: before === null ? null : logsUrl(organization, search),
  };
}

/** Reads the rows past `before`, which replace "Load older". */
export async function readRows(
  { context, organization, parsed, signal }: ListRequest,
  answers: number,
): Promise<RowsView> {
  const { filters, before } = parsed;
  const query = toEntryQuery(filters, organization, new Date());
  const found = await findEntries(context.db, query, before, { limit: pageSize, signal });
  const more = makeMore(found, filters, organization, found.entries.length >= pageSize ? 0 : answers);
  const count = found.entries.length;
  const none = more.kind === 'end' ? 'No more entries' : 'Searching';
  return {
    text: filters.text,
    rows: makeRows(found.entries, organization, toSearch(filters)),
    more,
    status: count === 0 ? none : `${count} more ${count === 1 ? 'entry' : 'entries'}`,
  };
}

async function readChoices({ context, organization }: ListRequest): Promise<Choices> {
  const [eventTypes, facets] = await Promise.all([
    listEventTypes(context.db, organization),
    readFacets(context.db, organization),
  ]);
  return { ...facets, eventTypes };
}

/** Keeps the keys sorted, as in every address here. */
function withKeys(search: string, more: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams(search);
  for (const [key, value] of Object.entries(more)) all.append(key, value);
  all.sort();
  return all.toString();
}

/** Reads what the list shows: entries, and for a whole page the choices of its filters. */
import { listEventTypes, readFacets } from '../../database/facets.ts';
import { countDatedAfter, encodeMark } from '../../database/newEntries.ts';
import type { Database } from '../../database/pool.ts';
import { findEntries } from '../../search/findEntries.ts';
import { logsUrl } from '../urls.ts';
import type { AuditLogsView, EmptyView, FutureView, ResultsView, RowsView } from '../views/listViews.ts';
import type { WebContext } from '../webContext.ts';
import { makeChips, makeClearUrl } from './chips.ts';
import { type Choices, makeFilterBar } from './filterBar.ts';
import { hasConditions, noFilters, type ParsedFilters, toEntryQuery, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { allTimeUrl, describeCount, makeMore, makeRows, pageSize } from './rows.ts';
import { aheadMs, describeTime } from './timeRange.ts';

export interface ListRequest {
  readonly context: WebContext;
  readonly organization: string;
  readonly parsed: ParsedFilters;
  readonly signal: AbortSignal;
}

/** Reads the whole list. */
export async function readList(list: ListRequest): Promise<AuditLogsView> {
  const { organization, parsed } = list;
  const [results, choices] = await Promise.all([readResults(list), readChoices(list)]);
  return {
    exportUrl: logsUrl(organization, '', '/export'),
    filterBar: makeFilterBar(parsed.filters, organization, choices),
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
  const found = await findEntries(context.db, toEntryQuery(filters, organization, now), before, {
    limit: pageSize,
    signal,
  });
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
    future:
      before === null
        ? makeFuture(filters, organization, now, await countFuture(context.db, organization, now))
        : null,
    status: describeCount(found.entries.length, more.kind !== 'end'),
    downloads: {
      csvUrl: logsUrl(organization, search, '/entries.csv'),
      ndjsonUrl: logsUrl(organization, search, '/entries.ndjson'),
    },
    newestUrl: before === null ? null : logsUrl(organization, search),
  };
}

const mostFuture = 1_000;

function countFuture(db: Database, organization: string, now: Date): Promise<number> {
  return countDatedAfter(db, organization, new Date(now.getTime() + aheadMs).toISOString(), mostFuture);
}

/** No relative range holds entries dated in the future; in the whole log they come first. */
function makeFuture(filters: Filters, organization: string, now: Date, count: number): FutureView | null {
  if (count === 0 || !('preset' in filters.time)) return null;
  const edge = new Date(now.getTime() + aheadMs).toISOString().slice(0, 19);
  const number =
    count === mostFuture ? `${count}+ entries are` : count === 1 ? '1 entry is' : `${count} entries are`;
  const isShown = filters.time.preset === 'all';
  return {
    words: `${number} dated in the future${isShown ? ' and may come before all others' : ' and outside this range'}.`,
    url: isShown
      ? logsUrl(organization, toSearch({ ...filters, time: { from: null, to: edge } }))
      : logsUrl(organization, toSearch({ ...noFilters, time: { from: edge, to: null } })),
    linkWords: isShown ? 'Hide them' : 'Show them',
  };
}

/** Reads the rows past `before`, which replace "Load older". */
export async function readRows(
  { context, organization, parsed, signal }: ListRequest,
  answers: number,
): Promise<RowsView> {
  const { filters, before } = parsed;
  const found = await findEntries(context.db, toEntryQuery(filters, organization, new Date()), before, {
    limit: pageSize,
    signal,
  });
  const more = makeMore(found, filters, organization, found.entries.length >= pageSize ? 0 : answers);
  const count = found.entries.length;
  return {
    text: filters.text,
    rows: makeRows(found.entries, organization, toSearch(filters)),
    more,
    status:
      count === 0
        ? more.kind === 'end'
          ? 'No more entries'
          : 'Searching'
        : `${count} more ${count === 1 ? 'entry' : 'entries'}`,
  };
}

async function readChoices({ context, organization }: ListRequest): Promise<Choices> {
  const [eventTypes, facets] = await Promise.all([
    listEventTypes(context.db, organization),
    readFacets(context.db, organization),
  ]);
  return { ...facets, eventTypes };
}

function makeEmpty(filters: Filters, organization: string, isOlderPage: boolean): EmptyView {
  const isAllTime = 'preset' in filters.time && filters.time.preset === 'all';
  const isFiltered = hasConditions(filters);
  const links = {
    allTimeUrl: isAllTime ? null : allTimeUrl(filters, organization),
    clearUrl: makeClearUrl(filters, organization),
    example: null,
  };
  if (isOlderPage)
    return { title: 'No older entries', words: 'There is nothing before this point.', ...links };
  const { time } = filters;
  if ('from' in time && time.from !== null && time.to !== null && time.from >= time.to) {
    return {
      title: 'This range is empty',
      words: `It starts at ${time.from.replace('T', ' ')} and ends at ${time.to.replace('T', ' ')}, which is not later. Change From or To.`,
      ...links,
    };
  }
  if (isFiltered) {
    return {
      title: 'No entry matches',
      words: isAllTime
        ? 'Nothing in the whole log matches these filters. Remove one to see more.'
        : `Nothing matches in this range (${lowerFirst(describeTime(filters.time))}). Older entries may match.`,
      ...links,
    };
  }
  if (!isAllTime) {
    return {
      title: 'No entries in this range',
      words: `Nothing was recorded in this range (${lowerFirst(describeTime(filters.time))}).`,
      ...links,
    };
  }
  return {
    title: 'No entries yet',
    words:
      'Entries appear here as soon as your product writes them, in the same transaction as the change they describe:',
    ...links,
    example: `insert into audit.entries (organization, event_type, actor_id, actor_name, metadata)\nvalues ('${organization.replaceAll("'", "''")}', 'flow.created', 'u-17', 'Ada', '{"flowId": 42}');`,
  };
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

/** Keeps the keys sorted, as in every address here. */
function withKeys(search: string, more: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams(search);
  for (const [key, value] of Object.entries(more)) all.append(key, value);
  all.sort();
  return all.toString();
}

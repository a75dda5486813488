/** Reads what the list shows: entries, and for a whole page the choices of its filters. */
import { setTimeout as delay } from 'node:timers/promises';
import { readSmallPayloads } from '../../database/entries.ts';
import { listEventTypes } from '../../database/eventTypes.ts';
import { encodeMark, hasEntries } from '../../database/newEntries.ts';
import { type FoundAt, findEntries } from '../../search/findEntries.ts';
import { makePlace } from '../histogram/histogramView.ts';
import { readHistogramView } from '../histogram/showHistogram.ts';
import { readSealedUpTo } from '../ledger/describeLedger.ts';
import { logsUrl } from '../urls.ts';
import type { AuditLogsView, ResultsView, RowsView } from '../views/listViews.ts';
import type { Viewer } from '../visit.ts';
import { mostSummaryBytes } from '../what/payload.ts';
import type { Asked } from './asked.ts';
import { listBuiltInViews } from './builtInViews.ts';
import { readTroubleSoon } from './exportTrouble.ts';
import { facetKeys, overviewUrl, readFacetView } from './facets.ts';
import { type Destinations, makeChips, makeClearUrl, makeFilterBar } from './filterBar.ts';
import { hasConditions, toEntryQuery, toSearch } from './filters.ts';
import { makeEmpty, makeLeftOut, readFuture } from './listNotices.ts';
import { describeCount, listTerms, makeMore, makeRows, type Progress, pageSize } from './rows.ts';
import { toFixed } from './timeRange.ts';

export interface ListRequest extends Asked {
  /** How the search has fared on the pages before; absent: this is the first, or a page behind others. */
  readonly progress?: Progress;
  /** `all` only in local mode. */
  readonly viewer: Pick<Viewer, 'administers'>;
  /** What comes after the list for scripts is in the page: counts over time, and of the values to filter by. */
  readonly withOverview?: boolean;
}

const noProgress: Progress = { answers: 0, isFruitless: false };

/** Reads the whole list. */
export async function readList(list: ListRequest): Promise<AuditLogsView> {
  const { organization, parsed, withOverview = false } = list;
  const [results, destinations, trouble] = await Promise.all([
    readResults(list),
    readDestinations(list),
    readTroubleSoon(list),
  ]);
  // Not at the same time: an organization counts one thing after the other.
  const histogram = withOverview ? await readHistogramView(list) : results.histogram;
  const facets = [];
  for (const key of facetKeys)
    facets.push(await readFacetView(list, key, withOverview ? 'counted' : 'chosen'));
  return {
    exportUrl: logsUrl(organization, '', '/export'),
    helpUrl: logsUrl(organization, '', '/help'),
    histogram,
    results:
      histogram.kind === 'place' || histogram.status === null
        ? results
        : { ...results, status: histogram.status },
    filterBar: {
      ...makeFilterBar(parsed.filters, organization, destinations),
      ...{ facets, withOverview, overviewUrl: overviewUrl(organization, parsed.filters) },
    },
    trouble,
  };
}

/** Reads the part below the filters. */
export async function readResults(list: ListRequest): Promise<ResultsView> {
  const now = new Date();
  return makeResults(list, find(list, now, firstAnswerMs), now);
}

/** A search shows something soon; those that continue it take longer each, so that they are few. */
export const firstAnswerMs = 400;

function find(
  { context, organization, parsed, signal }: ListRequest,
  now: Date,
  budgetMs?: number,
): ReturnType<typeof findEntries> {
  const query = toEntryQuery(parsed.filters, organization, now);
  return findEntries(context.db, query, parsed.before, {
    limit: pageSize,
    signal,
    ...(budgetMs !== undefined && { budgetMs }),
  });
}

/** What the rows say about them comes from their payloads. */
function readPayloads({ context, organization }: ListRequest, { entries }: FoundAt) {
  const ids = entries.map(({ id }) => id);
  return readSmallPayloads(context.db, organization, ids, mostSummaryBytes);
}

async function makeResults(
  list: ListRequest,
  finding: FoundAt | Promise<FoundAt>,
  now: Date,
): Promise<ResultsView> {
  const { context, organization, parsed, progress = noProgress } = list;
  const { filters, before, problems } = parsed;
  const search = toSearch(filters);
  const [found, destinations, future, sealed, builtIn] = await Promise.all([
    finding,
    filters.undelivered.length === 0 ? [] : readDestinations(list),
    before === null ? readFuture(context.db, filters, organization, now) : null,
    readSealedUpTo(context, organization),
    hasConditions(filters) || before !== null ? [] : readBuiltInViews(list),
  ]);
  const isFruitless = found.entries.length === 0 && (before === null || progress.isFruitless);
  const more = makeMore(found, filters, organization, { answers: 0, isFruitless });
  const isOpenEnded = before === null && ('preset' in filters.time || filters.time.to === null);
  const url = logsUrl(organization, toSearch(filters, before));
  return {
    url,
    title: `Audit logs · ${organization}`,
    terms: listTerms(filters),
    histogram: makePlace(filters, organization),
    chips: makeChips(filters, organization, destinations),
    clearUrl: makeClearUrl(filters, organization),
    problems,
    rows: makeRows(found.entries, await readPayloads(list, found), { organization, search }),
    more,
    leftOut: makeLeftOut(filters, organization),
    empty:
      found.entries.length === 0 && more.kind === 'end'
        ? makeEmpty(filters, {
            organization,
            isOlderPage: !isFruitless,
            isNew: !(await hasEntries(context.db, organization)),
            canWrite: list.viewer.administers === 'all',
          })
        : null,
    liveUrl:
      isOpenEnded && found.mark
        ? logsUrl(organization, withKeys(search, { since: encodeMark(found.mark), live: '1' }), '/newer')
        : null,
    future,
    status: describeCount(found.entries.length, more.kind !== 'end'),
    downloads: {
      csvUrl: logsUrl(organization, search, '/entries.csv'),
      ndjsonUrl: logsUrl(organization, search, '/entries.ndjson'),
    },
    sealed,
    newestUrl: before === null ? null : logsUrl(organization, search),
    fixedUrl:
      'preset' in filters.time && filters.time.preset !== 'all'
        ? logsUrl(organization, toSearch({ ...filters, time: toFixed(filters.time, now) }))
        : null,
    builtIn,
  };
}

/**
 * Reads the rows past `before`, which replace "Load older". Where a search has come to its end without any entry there is no list to add
 * to: that takes the place of all of it.
 */
export async function readRows(list: ListRequest): Promise<{ rows: RowsView } | { results: ResultsView }> {
  const { organization, parsed, progress = noProgress } = list;
  const now = new Date();
  const found = await find(list, now);
  const count = found.entries.length;
  const isFruitless = progress.isFruitless && count === 0;
  if (isFruitless && found.next === null) return { results: await makeResults(list, found, now) };
  const { filters } = parsed;
  const answers = count >= pageSize ? 0 : progress.answers;
  const more = makeMore(found, filters, organization, { answers, isFruitless });
  const none = more.kind === 'end' ? 'No more entries' : 'Searching';
  return {
    rows: {
      terms: listTerms(filters),
      rows: makeRows(found.entries, await readPayloads(list, found), {
        organization,
        search: toSearch(filters),
      }),
      more,
      leftOut: makeLeftOut(filters, organization),
      status: count === 0 ? none : `${count} more ${count === 1 ? 'entry' : 'entries'}`,
    },
  };
}

/** What they are made of costs an index probe for each event type. The list stands without them. */
async function readBuiltInViews({ context, organization, parsed }: ListRequest) {
  try {
    const eventTypes = await listEventTypes(context.db, organization);
    return listBuiltInViews(eventTypes, parsed.filters.time, organization);
  } catch {
    return [];
  }
}

/** How long the list waits for the names of destinations, which only its menu needs. */
const destinationsMs = 1_000;

/** Empty where the config source does not answer; those in the address stay ticked. */
async function readDestinations({ context, organization, parsed }: ListRequest): Promise<Destinations> {
  const late = new AbortController();
  try {
    const listed = await Promise.race([
      context.editor?.list(organization),
      delay(destinationsMs, undefined, { signal: late.signal, ref: false }),
    ]).catch(() => undefined);
    const known = listed?.kind === 'ok' ? listed.value : [];
    const named = known.flatMap(({ key, id }) => (key === null ? [] : [{ key, name: id.name }]));
    const others = parsed.filters.undelivered.filter((chosen) => !named.some(({ key }) => key === chosen));
    // A key of a cluster has no name in it.
    const unnamed = listed?.kind === 'ok' ? 'a deleted destination' : 'a destination';
    const nameOf = (key: string): string => /\/([^/]+)$/.exec(key)?.[1] ?? unnamed;
    return [...named, ...others.map((key) => ({ key, name: nameOf(key) }))];
  } finally {
    late.abort();
  }
}

/** Keeps the keys sorted, as in every address here. */
function withKeys(search: string, more: Readonly<Record<string, string>>): string {
  const all = new URLSearchParams(search);
  for (const [key, value] of Object.entries(more)) all.append(key, value);
  all.sort();
  return all.toString();
}

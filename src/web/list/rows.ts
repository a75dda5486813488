/** Turns found entries into rows of the table, and makes what stands below the last one. */
import type { Hit } from '../../database/searchEntries.ts';
import { parseSearch } from '../../database/searchTerms.ts';
import type { findEntries } from '../../search/findEntries.ts';
import { signOfSession } from '../format/sessionWords.ts';
import { entryUrl, logsUrl } from '../urls.ts';
import type { EntryRow, MoreView } from '../views/listViews.ts';
import { mostPrinted, printWhat, summarize } from '../what/summarize.ts';
import { toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { describeTime } from './timeRange.ts';

export const pageSize = 50;

type Found = Awaited<ReturnType<typeof findEntries>>;

/** How many answers a browser asks for before a person has to click; each takes about a second at most. */
const automaticAnswers = 12;

/** @param payloads the small ones, by id. */
export function makeRows(
  hits: readonly Hit[],
  payloads: ReadonlyMap<string, string>,
  { organization, search }: { readonly organization: string; readonly search: string },
): EntryRow[] {
  return hits.map((hit) => ({
    id: hit.id,
    url: entryUrl(organization, hit.id, search),
    eventType: hit.eventType,
    actor: shorten(hit.actorName ?? hit.actorId),
    actorId: hit.actorName === null ? null : shorten(hit.actorId),
    sign: signOfSession(shorten(hit.sessionType) ?? ''),
    project: shorten(hit.project),
    what: makeWhat(payloads.get(hit.id), hit.eventType),
    occurredAt: hit.occurredAt,
    excerpt: hit.excerpt,
    isUnsearched: !hit.isSearched,
  }));
}

/** Longer values leave no room for what changed. */
const mostInRow = 80;

function makeWhat(payload: string | undefined, eventType: string): EntryRow['what'] {
  const what = payload === undefined ? null : summarize(payload, eventType);
  return what && { short: printWhat(what, mostInRow), full: printWhat(what, mostPrinted) };
}

/** Keeps a page of the longest values at a sensible size. */
function shorten(value: string | null): string | null {
  return value !== null && value.length > 300 ? `${value.slice(0, 300).toWellFormed()}…` : value;
}

/** What a search looks for; what it leaves out is not there to be marked. */
export function listTerms({ text }: Filters): string[] {
  return parseSearch(text).flatMap((term) => (term.isExcluded ? [] : [term.text]));
}

/** How a search that goes on by itself has fared so far. */
export interface Progress {
  /** How many answers the browser has already asked for on its own. */
  readonly answers: number;
  /** No entry has been found yet. */
  readonly isFruitless: boolean;
}

export function makeMore(
  found: Found,
  filters: Filters,
  organization: string,
  { answers, isFruitless }: Progress,
): MoreView {
  const { time } = filters;
  if (found.next === null) {
    const isAllTime = 'preset' in time && time.preset === 'all';
    return {
      kind: 'end',
      words: isAllTime ? 'No more entries.' : `${describeTime(time)}: no more entries.`,
      allTimeUrl: isAllTime ? null : allTimeUrl(filters, organization),
      retentionUrl: logsUrl(organization, '', '/retention'),
    };
  }
  const url = logsUrl(organization, toSearch(filters, found.next));
  if (found.searchedBackTo === null) return { kind: 'older', url, partUrl: url };
  const isAutomatic = answers < automaticAnswers;
  const continued = isFruitless ? `${url}&none=1` : url;
  return {
    kind: 'continue',
    url: continued,
    partUrl: `${continued}&auto=${isAutomatic ? answers + 1 : 0}`,
    searchedBackTo: found.searchedBackTo,
    isIndexBehind: found.isIndexBehind,
    isAutomatic,
  };
}

export function allTimeUrl(filters: Filters, organization: string): string {
  return logsUrl(organization, toSearch({ ...filters, time: { preset: 'all' } }));
}

/** Reads what `makeMore` has put into the address of the next answer. */
export function readProgress(parameters: URLSearchParams): Progress {
  const answers = Number(parameters.get('auto') ?? 0);
  return {
    answers: Number.isInteger(answers) && answers >= 0 ? answers : 0,
    isFruitless: parameters.get('none') === '1',
  };
}

/** `50+ entries`. */
export function describeCount(count: number, isMore: boolean): string {
  if (count === 0) return isMore ? 'Searching' : 'No entries';
  return `${count}${isMore ? '+' : ''} ${count === 1 && !isMore ? 'entry' : 'entries'}`;
}

/** Says what a list without entries, or with entries dated in the future, means. */
import { leavesOutQuiet, quietTypes } from '../../database/entryQuery.ts';
import { countDatedAfter } from '../../database/newEntries.ts';
import type { Database } from '../../database/pool.ts';
import { logsUrl } from '../urls.ts';
import type { EmptyView, FutureView, LeftOutView } from '../views/listViews.ts';
import { makeClearUrl } from './filterBar.ts';
import { hasConditions, noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { allTimeUrl, listTerms } from './rows.ts';
import { aheadMs, describeEmptyRange, describeTime, isEmptyRange } from './timeRange.ts';

const mostFuture = 1_000;

/** Reads how many entries are dated in the future. No relative range holds them; in the whole log they come first. */
export async function readFuture(
  db: Database,
  filters: Filters,
  organization: string,
  now: Date,
): Promise<FutureView | null> {
  if (!('preset' in filters.time)) return null;
  const at = new Date(now.getTime() + aheadMs).toISOString();
  const count = await countDatedAfter(db, organization, at, mostFuture);
  if (count === 0) return null;
  const edge = at.slice(0, 19);
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

/** What a search leaves out; see `quietTypes`. */
export function makeLeftOut(filters: Filters, organization: string): LeftOutView | null {
  if (!leavesOutQuiet(filters)) return null;
  return {
    words: 'Not searched: entries about downloads, test records and views of the export settings.',
    url: logsUrl(organization, toSearch({ ...filters, eventTypes: quietTypes })),
  };
}

export interface Emptiness {
  readonly organization: string;
  /** The page continues behind others. */
  readonly isOlderPage: boolean;
  /** The organization has no entry at all. */
  readonly isNew: boolean;
  /** The viewer runs the product on this machine, and can write to its database. */
  readonly canWrite: boolean;
}

export function makeEmpty(
  filters: Filters,
  { organization, isOlderPage, isNew, canWrite }: Emptiness,
): EmptyView {
  if (isNew) return { ...startScreen, example: canWrite ? makeExample(organization) : null };
  const isAllTime = 'preset' in filters.time && filters.time.preset === 'all';
  const [title, words] = isOlderPage
    ? ['No older entries', 'There is nothing before this point.']
    : describeEmpty(filters, isAllTime);
  return {
    title,
    words,
    isStart: false,
    allTimeUrl: isAllTime ? null : allTimeUrl(filters, organization),
    clearUrl: makeClearUrl(filters, organization),
    example: null,
  };
}

const startScreen = {
  title: 'No entries yet',
  words:
    'Entries appear here as soon as your product writes them, in the same transaction as the change they describe.',
  isStart: true,
  allTimeUrl: null,
  clearUrl: null,
};

function describeEmpty(filters: Filters, isAllTime: boolean): [title: string, words: string] {
  const { time } = filters;
  if (isEmptyRange(time)) return ['This range is empty', describeEmptyRange(time)];
  const range = `in this range (${lowerFirst(describeTime(time))})`;
  if (hasConditions(filters)) {
    const words = isAllTime
      ? 'Nothing in the whole log matches these filters. Remove one to see more.'
      : `Nothing matches ${range}. Older entries may match.`;
    const terms = listTerms(filters).length;
    return [
      'No entry matches',
      terms < 2 ? words : `${words} An entry matches only if it has all ${terms} of the words.`,
    ];
  }
  return ['No entries in this range', `Nothing was recorded ${range}.`];
}

function makeExample(organization: string): string {
  return `insert into audit.entries (organization, event_type, actor_id, actor_name, metadata)\nvalues ('${organization.replaceAll("'", "''")}', 'flow.created', 'u-17', 'Ada', '{"flowId": 42}');`;
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

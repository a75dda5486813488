/** Says what a list without entries, or with entries dated in the future, means. */
import { countDatedAfter } from '../../database/newEntries.ts';
import type { Database } from '../../database/pool.ts';
import { logsUrl } from '../urls.ts';
import type { EmptyView, FutureView } from '../views/listViews.ts';
import { makeClearUrl } from './filterBar.ts';
import { hasConditions, noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { allTimeUrl } from './rows.ts';
import { aheadMs, describeTime } from './timeRange.ts';

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

export function makeEmpty(filters: Filters, organization: string, isOlderPage: boolean): EmptyView {
  const isAllTime = 'preset' in filters.time && filters.time.preset === 'all';
  const [title, words] = isOlderPage
    ? ['No older entries', 'There is nothing before this point.']
    : describeEmpty(filters, isAllTime);
  const isTableEmpty = !isOlderPage && isAllTime && !hasConditions(filters);
  return {
    title,
    words,
    allTimeUrl: isAllTime ? null : allTimeUrl(filters, organization),
    clearUrl: makeClearUrl(filters, organization),
    example: isTableEmpty ? makeExample(organization) : null,
  };
}

function describeEmpty(filters: Filters, isAllTime: boolean): [title: string, words: string] {
  const { time } = filters;
  if ('from' in time && time.from !== null && time.to !== null && time.from >= time.to) {
    const [from, to] = [time.from, time.to].map((at) => at.replace('T', ' '));
    const words = `It starts at ${from} and ends at ${to}, which is not later. Change From or To.`;
    return ['This range is empty', words];
  }
  const range = `in this range (${lowerFirst(describeTime(time))})`;
  if (hasConditions(filters)) {
    const words = isAllTime
      ? 'Nothing in the whole log matches these filters. Remove one to see more.'
      : `Nothing matches ${range}. Older entries may match.`;
    return ['No entry matches', words];
  }
  if (!isAllTime) return ['No entries in this range', `Nothing was recorded ${range}.`];
  const words =
    'Entries appear here as soon as your product writes them, in the same transaction as the change they describe:';
  return ['No entries yet', words];
}

function makeExample(organization: string): string {
  return `insert into audit.entries (organization, event_type, actor_id, actor_name, metadata)\nvalues ('${organization.replaceAll("'", "''")}', 'flow.created', 'u-17', 'Ada', '{"flowId": 42}');`;
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

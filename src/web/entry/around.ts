/** Links from an entry to what happened around it: plain addresses of the list, with fixed times. */
import type { EntryView } from '../../database/entries.ts';
import { quoteTerm } from '../../database/searchTerms.ts';
import { isFilterValue } from '../list/filterRow.ts';
import { noFilters, toSearch } from '../list/filters.ts';
import { type Filters, mostTextLength } from '../list/filterTable.ts';
import { logsUrl } from '../urls.ts';
import type { EntryDetailView } from '../views/entryViews.ts';
import type { Target } from '../what/findTarget.ts';

const hourMs = 3_600_000;
const nearMs = 10 * 60_000;
const mostWords = 40;

export function listAround(
  entry: EntryView,
  target: Target | null,
  organization: string,
): EntryDetailView['around'] {
  const at = Date.parse(entry.occurredAt);
  const hour = Math.floor(at / hourMs) * hourMs;
  const link = (words: string, filters: Partial<Filters>) => ({
    words,
    url: logsUrl(organization, toSearch({ ...noFilters, ...filters })),
  });
  const actor =
    [entry.actorId, entry.actorName].find((value) => value !== null && isFilterValue(value)) ?? null;
  const name = shorten(entry.actorName ?? entry.actorId ?? '');
  const values = target === null ? [] : [target.value, ...(target.id === null ? [] : [target.id])];
  const searches = values.flatMap((value) => {
    const text = quoteTerm(value);
    return text === null || text.length > mostTextLength || text !== text.trim() ? [] : [{ value, text }];
  });
  return [
    ...(actor === null
      ? []
      : [
          link(`${name}, ${clock(hour)}–${clock(hour + hourMs)} UTC`, {
            actors: [actor],
            time: span(hour, hour + hourMs),
          }),
        ]),
    link('10 minutes before and after', { time: span(at - nearMs, at + nearMs + 1) }),
    ...searches.map(({ value, text }) =>
      link(`All with “${shorten(value)}”`, { text, time: { preset: 'all' } }),
    ),
  ];
}

/** Whole seconds that hold all of it; `toMs` itself is not part of it. */
function span(fromMs: number, toMs: number): Filters['time'] {
  const second = (ms: number): string => new Date(Math.max(0, ms)).toISOString().slice(0, 19);
  return { from: second(fromMs), to: second(Math.ceil(toMs / 1_000) * 1_000) };
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16);
}

function shorten(value: string): string {
  return value.length > mostWords ? `${value.slice(0, mostWords).toWellFormed()}…` : value;
}

/** Makes a chip for each active filter, with the address of the list without it. */
import { logsUrl } from '../urls.ts';
import type { ChipView } from '../views/listViews.ts';
import { hasConditions, listFilters, noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';

export function makeChips(filters: Filters, organization: string): ChipView[] {
  return listFilters(filters).flatMap(({ name, row, value }) =>
    row.chips(value).map(({ label, rest }) => ({
      label,
      url: logsUrl(organization, toSearch({ ...filters, [name]: rest })),
    })),
  );
}

/** The address without filters; null: nothing but the time range is set. */
export function makeClearUrl(filters: Filters, organization: string): string | null {
  return hasConditions(filters)
    ? logsUrl(organization, toSearch({ ...noFilters, time: filters.time }))
    : null;
}

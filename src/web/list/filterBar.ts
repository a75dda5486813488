/** Makes the form above the list (what is chosen), and the chips of the active filters. */
import { logsUrl } from '../urls.ts';
import type { ChipView, FilterBarView, OptionView } from '../views/listViews.ts';
import { hasConditions, listFilters, noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { presets, presetWords } from './timeRange.ts';

export type Destinations = ReadonlyArray<{ readonly key: string; readonly name: string }>;

export function makeFilterBar(
  filters: Filters,
  organization: string,
  destinations: Destinations,
): Omit<FilterBarView, 'facets' | 'withOverview' | 'overviewUrl'> {
  const inputs = listFilters(filters).flatMap(({ row, value }) => (row.inputs ?? row.print)(value));
  const values = (key: string): string[] => inputs.flatMap(([name, value]) => (name === key ? [value] : []));
  return {
    url: logsUrl(organization),
    value: (key) => values(key)[0] ?? '',
    values,
    destinations: destinations.map(({ key, name }) => ({
      ...{ value: key, label: name, isChosen: filters.undelivered.includes(key) },
    })),
    ranges: [
      ...toOptions(presets, values('range'), (preset) => presetWords[preset]),
      ...toOptions(['custom'], values('range'), () => 'Custom'),
    ],
  };
}

function toOptions<T extends string>(
  values: readonly T[],
  chosen: readonly string[],
  label: (value: T) => string,
): OptionView[] {
  return values.map((value) => ({ value, label: label(value), isChosen: chosen.includes(value) }));
}

/** A chip for each active filter, with the address of the list without it. */
export function makeChips(
  filters: Filters,
  organization: string,
  destinations: Destinations = [],
): ChipView[] {
  const names = new Map(destinations.map(({ key, name }) => [key, name]));
  return listFilters(filters).flatMap(({ name, row, value }) =>
    row.chips(value, names).map(({ rest, ...chip }) => ({
      ...chip,
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

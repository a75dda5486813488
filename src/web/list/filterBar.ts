/** Makes the form above the list (every choice, and what is chosen), and the chips of the active filters. */
import type { Facets } from '../../search/facets.ts';
import { describeSession } from '../format/sessionWords.ts';
import { logsUrl } from '../urls.ts';
import type { ChipView, FilterBarView, OptionView } from '../views/listViews.ts';
import { isFilterValue, showInInput } from './filterRow.ts';
import { hasConditions, listFilters, noFilters, toSearch } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { presets, presetWords } from './timeRange.ts';

export interface Choices extends Facets {
  readonly eventTypes: readonly string[];
  readonly destinations: ReadonlyArray<{ readonly key: string; readonly name: string }>;
}

export function makeFilterBar(filters: Filters, organization: string, choices: Choices): FilterBarView {
  const inputs = listFilters(filters).flatMap(({ row, value }) => (row.inputs ?? row.print)(value));
  const values = (key: string): string[] => inputs.flatMap(([name, value]) => (name === key ? [value] : []));
  const eventTypes = joined(choices.eventTypes.filter(isFilterValue), filters.eventTypes);
  return {
    url: logsUrl(organization),
    value: (key) => values(key)[0] ?? '',
    shown: (key) => showInInput(values(key)[0] ?? ''),
    values,
    eventTypes: groupByPrefix(eventTypes, filters.eventTypes),
    eventTypeCount: eventTypes.length,
    sessionTypes: toOptions(
      joined(choices.sessionTypes.filter(isFilterValue), filters.sessionTypes),
      filters.sessionTypes,
      describeSession,
    ),
    actors: choices.actors.flatMap(({ id, name }) => {
      const value = [id, name].find((each) => each !== null && isFilterValue(each)) ?? null;
      return value === null ? [] : [{ value, label: name ?? value }];
    }),
    projects: choices.projects.filter(isFilterValue),
    destinations: choices.destinations.map(({ key, name }) => ({
      ...{ value: key, label: name, isChosen: filters.undelivered.includes(key) },
    })),
    isComplete: choices.isComplete,
    ranges: [
      ...toOptions(presets, values('range'), (preset) => presetWords[preset]),
      ...toOptions(['custom'], values('range'), () => 'Custom'),
    ],
  };
}

/** Adds the chosen values to the known ones, so that each can be unticked. */
function joined(known: readonly string[], chosen: readonly string[]): string[] {
  return [...new Set([...known, ...chosen])].sort();
}

function toOptions<T extends string>(
  values: readonly T[],
  chosen: readonly string[],
  label: (value: T) => string,
): OptionView[] {
  return values.map((value) => ({ value, label: label(value), isChosen: chosen.includes(value) }));
}

/** Groups `flow.created` and `flow.deleted` under `flow`. */
function groupByPrefix(types: readonly string[], chosen: readonly string[]): FilterBarView['eventTypes'] {
  const groups = Map.groupBy(types, (type) => type.split('.')[0] ?? type);
  return [...groups].map(([prefix, members]) => ({
    prefix,
    options: toOptions(members, chosen, (type) => type),
  }));
}

/** A chip for each active filter, with the address of the list without it. */
export function makeChips(
  filters: Filters,
  organization: string,
  destinations: Choices['destinations'] = [],
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

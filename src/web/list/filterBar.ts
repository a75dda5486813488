/** Makes the form above the list: every choice, and what is chosen. */
import type { Facets } from '../../database/facets.ts';
import { describeSession } from '../format/sessionWords.ts';
import { logsUrl } from '../urls.ts';
import type { FilterBarView, OptionView } from '../views/listViews.ts';
import { listFilters } from './filters.ts';
import type { Filters } from './filterTable.ts';
import { presets, presetWords } from './timeRange.ts';

export interface Choices extends Facets {
  readonly eventTypes: readonly string[];
}

export function makeFilterBar(filters: Filters, organization: string, choices: Choices): FilterBarView {
  const inputs = listFilters(filters).flatMap(({ row, value }) => (row.inputs ?? row.print)(value));
  const values = (key: string): string[] => inputs.flatMap(([name, value]) => (name === key ? [value] : []));
  const eventTypes = joined(choices.eventTypes, filters.eventTypes);
  return {
    url: logsUrl(organization),
    value: (key) => values(key)[0] ?? '',
    values,
    eventTypes: groupByPrefix(eventTypes, filters.eventTypes),
    eventTypeCount: eventTypes.length,
    sessionTypes: toOptions(
      joined(choices.sessionTypes, filters.sessionTypes),
      filters.sessionTypes,
      describeSession,
    ),
    actors: choices.actors.flatMap(({ id, name }) => {
      const value = id ?? name;
      return value === null ? [] : [{ value, label: name ?? value }];
    }),
    projects: choices.projects,
    ranges: [
      ...toOptions(presets, values('range'), (preset) => presetWords[preset]),
      ...toOptions(['custom'], values('range'), () => 'Custom (UTC)'),
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

/** The form above the list: everything one may choose, and what is chosen. */
import type { Facets } from '../../database/facets.ts';
import { describeSession } from '../format/sessions.ts';
import { logsUrl } from '../urls.ts';
import type { FilterBarView, OptionView } from '../views/listViews.ts';
import { type Filters, presets } from './filters.ts';
import { describeTime, presetWords } from './timeWords.ts';

export interface Choices extends Facets {
  readonly eventTypes: readonly string[];
}

export function makeFilterBar(filters: Filters, organization: string, choices: Choices): FilterBarView {
  const { time, text, actor, project, has } = filters;
  const eventTypes = joined(choices.eventTypes, filters.eventTypes);
  const isCustom = !('preset' in time);
  return {
    url: logsUrl(organization),
    text,
    eventTypes: groupByPrefix(eventTypes, filters.eventTypes),
    eventTypeCount: eventTypes.length,
    sessionTypes: toOptions(
      joined(choices.sessionTypes, filters.sessionTypes),
      filters.sessionTypes,
      describeSession,
    ),
    actor: actor ?? '',
    actors: choices.actors.flatMap(({ id, name }) => {
      const value = id ?? name;
      return value === null ? [] : [{ value, label: name ?? value }];
    }),
    project: project === null || project === 'none' ? '' : project.name,
    isWithoutProject: project === 'none',
    projects: choices.projects,
    ranges: [
      ...toOptions(presets, 'preset' in time ? [time.preset] : [], (preset) => presetWords[preset]),
      { value: 'custom', label: 'Custom (UTC)', isChosen: isCustom },
    ],
    from: isCustom && time.from !== null ? toInput(time.from, 'down') : '',
    to: isCustom && time.to !== null ? toInput(time.to, 'up') : '',
    has,
    active: {
      type: filters.eventTypes.length > 0,
      actor: actor !== null,
      project: project !== null,
      session: filters.sessionTypes.length > 0,
    },
    rangeLabel: isCustom ? 'Custom' : describeTime(time),
  };
}

/**
 * `<input type="datetime-local">` takes milliseconds, and empties itself for anything finer: the next choice would then be of all time.
 * The range that is sent instead holds all of the one that was asked for.
 */
function toInput(time: string, rounded: 'down' | 'up'): string {
  const [seconds = '', decimals = ''] = time.split('.');
  if (decimals.length <= 3) return time;
  const down = `${seconds}.${decimals.slice(0, 3)}`;
  if (rounded === 'down' || /^0*$/.test(decimals.slice(3))) return down;
  return new Date(Date.parse(`${down}Z`) + 1).toISOString().slice(0, -1);
}

/** What is chosen is always among the choices. */
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

/** `flow.created` and `flow.deleted` are of `flow`. */
function groupByPrefix(types: readonly string[], chosen: readonly string[]): FilterBarView['eventTypes'] {
  const groups = Map.groupBy(types, (type) => type.split('.')[0] ?? type);
  return [...groups].map(([prefix, members]) => ({
    prefix,
    options: toOptions(members, chosen, (type) => type),
  }));
}

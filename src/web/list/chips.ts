/** What is active, each with the address of the list without it. */

import { describeDocument } from '../format/json.ts';
import { describeSession } from '../format/sessions.ts';
import { logsUrl } from '../urls.ts';
import type { ChipView } from '../views/listViews.ts';
import { type Filters, hasConditions, noFilters, toSearch } from './filters.ts';
import { describeTime } from './timeWords.ts';

export function makeChips(filters: Filters, organization: string): ChipView[] {
  const chips: ChipView[] = [];
  const add = (label: string, rest: Partial<Filters>): void => {
    chips.push({ label, url: logsUrl(organization, toSearch({ ...filters, ...rest })) });
  };
  const { time, text, eventTypes, actor, project, sessionTypes, has } = filters;
  if (!('preset' in time) || time.preset !== 'all') add(describeTime(time), { time: { preset: 'all' } });
  if (text !== '') add(`“${text}”`, { text: '' });
  for (const type of eventTypes) add(type, { eventTypes: eventTypes.filter((each) => each !== type) });
  if (actor !== null) add(`Actor: ${actor}`, { actor: null });
  if (project !== null)
    add(project === 'none' ? 'No project' : `Project: ${project.name}`, { project: null });
  for (const type of sessionTypes)
    add(describeSession(type), { sessionTypes: sessionTypes.filter((each) => each !== type) });
  for (const document of has)
    add(describeDocument(document), { has: has.filter((each) => each !== document) });
  return chips;
}

/** The default list; null: nothing but the range of time is set. */
export function makeClearUrl(filters: Filters, organization: string): string | null {
  return hasConditions(filters)
    ? logsUrl(organization, toSearch({ ...noFilters, time: filters.time }))
    : null;
}

/** Where a new destination starts, with how many entries each choice sends at once: this decides for ever whether history goes. */
import { countEntries, mostCounted } from '../../database/countEntries.ts';
import { ownEventTypes } from '../../model/ownEvents.ts';
import type { WindowFilter } from '../../model/stream.ts';
import { formatCount } from '../format/count.ts';
import type { StartView } from '../views/formViews.ts';
import type { Visit } from '../visit.ts';
import { type ExportForm, readStart, splitList } from './exportForm.ts';

export async function loadStart(visit: Visit, form: ExportForm): Promise<StartView> {
  const time = form.values.startFrom === 'Time' ? readStart(form) : '';
  const isTime =
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time) && !Number.isNaN(Date.parse(time)) && !/^0000/.test(time);
  const [all, since] = await Promise.all([
    countFor(visit, form),
    isTime ? countFor(visit, form, { since: time }) : null,
  ]);
  return {
    choices: [
      ['Now', 'New entries only', 'Nothing from before is sent.'],
      ['Beginning', 'Every entry there is, then new ones', describe(all, 'so far')],
      ['Time', 'Entries from a time on', isTime ? describe(since, 'since then') : ''],
    ],
  };
}

/** How many entries the form's filter lets through, counted up to `mostCounted` + 1; null: not in time, or the filter is none. */
export async function countFor(
  { context, organization }: Visit,
  { values }: ExportForm,
  range: Pick<WindowFilter, 'since' | 'until'> = {},
): Promise<number | null> {
  const lists = {
    eventTypes: splitList(values['filter.eventTypes']),
    excludeEventTypes: splitList(values['filter.excludeEventTypes']),
    projects: splitList(values['filter.projects']),
  };
  // Postgres takes no text with it, and the schema will say so.
  if (
    Object.values(lists)
      .flat()
      .some((item) => item.includes('\0'))
  )
    return null;
  const filter = { ...lists, passesOwn: ownEventTypes, ...range };
  return await countEntries(context.db, organization, filter);
}

/** null: it could not be counted in time. */
function describe(entries: number | null, when: string): string {
  if (entries === null) return `Very many entries ${when}.`;
  if (entries > mostCounted) return `${formatCount(mostCounted)}+ entries ${when}.`;
  return entries === 1 ? `1 entry ${when}.` : `${formatCount(entries)} entries ${when}.`;
}

/** Where a new destination starts, with how many entries each choice sends at once: this decides for ever whether history goes. */
import { countEntries, mostCounted } from '../../database/countEntries.ts';
import type { StartView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { type ExportForm, readStart, splitList } from './exportForm.ts';
import { formatCount } from './stateView.ts';

export async function loadStart(visit: Visit, form: ExportForm): Promise<StartView> {
  const time = form.values.startFrom === 'Time' ? readStart(form) : '';
  const isTime =
    /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time) && !Number.isNaN(Date.parse(time)) && !/^0000/.test(time);
  const [all, since] = await Promise.all([count(visit, form), isTime ? count(visit, form, time) : null]);
  return {
    choices: [
      ['Now', 'New entries only', 'Nothing from before is sent.'],
      ['Beginning', 'Every entry there is, then new ones', describe(all, 'so far')],
      ['Time', 'Entries from a time on', isTime ? describe(since, 'since then') : ''],
    ],
  };
}

async function count(
  { context, organization }: Visit,
  { values }: ExportForm,
  since?: string,
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
  const filter = { ...lists, passesOwn: true, ...(since !== undefined && { since }) };
  return await countEntries(context.db, organization, filter);
}

/** null: it could not be counted in time. */
function describe(entries: number | null, when: string): string {
  if (entries === null) return `Very many entries ${when}.`;
  if (entries > mostCounted) return `${formatCount(mostCounted)}+ entries ${when}.`;
  return entries === 1 ? `1 entry ${when}.` : `${formatCount(entries)} entries ${when}.`;
}

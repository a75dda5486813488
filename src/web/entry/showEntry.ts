/** Shows one entry, in the drawer over the list and as JSON. */
import { readEntry } from '../../database/entries.ts';
import { entryJson } from '../format/entryJson.ts';
import { parseFilters, toSearch } from '../list/filters.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { sendProblem, whenGone } from '../reply/reply.ts';
import { entryUrl, logsUrl, searchParamsOf } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { readEntryView } from './readEntryView.ts';

export async function showEntry(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const id = String(request.params['entry']);
  const parameters = searchParamsOf(request);
  const { filters } = parseFilters(parameters);
  const isWhole = parameters.get('whole') === '1';
  const signal = whenGone(response);
  const view = await readEntryView({ context, organization, id, filters, isWhole, signal });
  if (view === null) return sayUnknown(visit);
  await sendDrawer(visit, 'audit-logs/entry', view, {
    title: view.eventType,
    url: entryUrl(organization, id, toSearch(filters)),
  });
}

export async function sendEntryJson(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const entry = await readEntry(context.db, organization, String(request.params['entry']));
  if (entry === null) sayUnknown(visit);
  else response.type('json').send(entryJson(entry));
}

/** Another organization's entry looks the same as one that does not exist. */
function sayUnknown({ request, response, organization }: Visit): void {
  sendProblem(request, response, 404, {
    title: 'No such entry',
    message: 'This organization has no entry with this id.',
    link: { url: logsUrl(organization), text: 'All entries' },
  });
}

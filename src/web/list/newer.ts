/** Counts the entries that arrived since the list was shown; the page asks every ten seconds. */
import { countCommittedSince, decodeMark } from '../../database/newEntries.ts';
import { sendFragment } from '../reply/reply.ts';
import { logsUrl, searchParamsOf } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { parseFilters, toEntryQuery, toSearch } from './filters.ts';

const most = 100;

/** Answers 204 while the page already shows this count, or a higher one from when fewer entries had come in between. */
export async function showNewer(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const parameters = searchParamsOf(request);
  const since = decodeMark(parameters.get('since') ?? '');
  const { filters } = parseFilters(parameters);
  const count = since
    ? await countCommittedSince(context.db, toEntryQuery(filters, organization, new Date()), since, most)
    : 0;
  if (count <= Number(parameters.get('seen') ?? 0)) {
    response.status(204).end();
    return;
  }
  sendFragment(visit, 'audit-logs/newer', {
    count,
    isCapped: count === most,
    url: logsUrl(organization, toSearch(filters)),
  });
}

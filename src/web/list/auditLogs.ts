/** Shows the list of Organization → Audit Logs, whole or in parts. */

import { fragmentTarget, isFragmentRequest, sendFragment, sendPage, whenGone } from '../reply/reply.ts';
import { searchParamsOf } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { parseFilters } from './filters.ts';
import { readList, readResults, readRows } from './readList.ts';

export async function showAuditLogs(visit: Visit): Promise<void> {
  const { request, organization, context } = visit;
  const parameters = searchParamsOf(request);
  const list = { context, organization, parsed: parseFilters(parameters), signal: whenGone(visit.response) };
  if (!isFragmentRequest(request)) {
    const view = await readList(list);
    sendPage(visit, 'audit-logs/page', view, { title: 'Audit logs' });
    return;
  }
  switch (fragmentTarget(request)) {
    case 'more':
      sendFragment(visit, 'audit-logs/rows-part', await readRows(list, readAnswers(parameters)));
      return;
    case 'main': {
      const view = await readList(list);
      setAddress(visit, view.results.url);
      sendFragment(visit, 'audit-logs/main-part', view);
      return;
    }
    default: {
      const results = await readResults(list);
      setAddress(visit, results.url);
      sendFragment(visit, 'audit-logs/results-part', results);
    }
  }
}

/** Typing replaces the address and a choice adds one; both in canonical form. */
function setAddress({ request, response }: Visit, url: string): void {
  const current = request.get('HX-Current-URL');
  if (current && URL.canParse(current)) {
    const { pathname, search } = new URL(current);
    if (pathname + search === url) return;
  }
  response.set(request.get('HX-Source') === 'input#q' ? 'HX-Replace-Url' : 'HX-Push-Url', url);
}

function readAnswers(parameters: URLSearchParams): number {
  const answers = Number(parameters.get('auto') ?? 0);
  return Number.isInteger(answers) && answers >= 0 ? answers : 0;
}

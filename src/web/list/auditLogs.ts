/** Shows the list of Organization → Audit Logs, whole or in parts. */

import { setBrowserAddress } from '../reply/browserAddress.ts';
import { fragmentTarget, isFragmentRequest, sendFragment, sendPage, whenGone } from '../reply/reply.ts';
import { searchParamsOf } from '../urls.ts';
import type { Visit } from '../visit.ts';
import { parseFilters } from './filters.ts';
import { readList, readResults, readRows } from './readList.ts';
import { readProgress } from './rows.ts';

export async function showAuditLogs(visit: Visit): Promise<void> {
  const { request, response, organization, context, viewer } = visit;
  const parameters = searchParamsOf(request);
  const [parsed, progress] = [parseFilters(parameters), readProgress(parameters)];
  const withOverview = parameters.get('overview') === '1';
  const list = { context, organization, viewer, parsed, progress, withOverview, signal: whenGone(response) };
  if (!isFragmentRequest(request)) {
    const view = await readList(list);
    sendPage(visit, 'audit-logs/page', view, { title: 'Audit logs' });
    return;
  }
  switch (fragmentTarget(request)) {
    case 'more': {
      const part = await readRows(list);
      if ('rows' in part) sendFragment(visit, 'audit-logs/rows-part', part.rows);
      else {
        response.set({ 'HX-Retarget': '#results', 'HX-Reswap': 'outerHTML' });
        sendFragment(visit, 'audit-logs/results-part', part.results);
      }
      return;
    }
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
  setBrowserAddress(response, request.get('HX-Source') === 'input#q' ? 'replace' : 'push', url);
}

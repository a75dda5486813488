/** Sends the content of the drawer: alone to htmx, to everybody else with the list behind it. */

import { escapeHtml } from '../format/html.ts';
import { setBrowserAddress } from '../reply/browserAddress.ts';
import { render } from '../reply/render.ts';
import { isFragmentRequest, sendPage, whenGone } from '../reply/reply.ts';
import { searchParamsOf } from '../urls.ts';
import type { Views } from '../views/views.ts';
import type { Visit } from '../visit.ts';
import { parseFilters } from './filters.ts';
import { readList } from './readList.ts';

export interface DrawerOptions {
  /** The document's title while the drawer is open. */
  readonly title: string;
  /** Default: 200. */
  readonly status?: number;
  /**
   * The address that the browser shows. Default: the requested one for a GET, none for a POST; null: the address stays as it
   * is.
   */
  readonly url?: string | null;
}

/**
 * Renders the view, which begins with `<header class="drawer-head">` that holds `<h2 id="drawer-title" tabindex="-1" autofocus>` and a link
 * with `data-close` back to the list; then `<div class="drawer-body">` and, if there are actions, `<footer class="drawer-foot">`.
 */
export async function sendDrawer<K extends keyof Views>(
  visit: Visit,
  name: K,
  data: Views[K],
  options: DrawerOptions,
): Promise<void> {
  const { request, response, organization, context, viewer } = visit;
  const { title, status = 200, url = request.method === 'GET' ? request.originalUrl : null } = options;
  const html = render(name, data);
  if (isFragmentRequest(request)) {
    const current = request.get('HX-Current-URL') ?? '';
    const isShown = url === null || current.endsWith(url);
    // Back should not step through every entry that was opened.
    if (!isShown) setBrowserAddress(response, isEntry(current) && isEntry(url) ? 'replace' : 'push', url);
    response
      .status(status)
      .type('html')
      .send(`<title>${escapeHtml(`${title} · ${organization}`)}</title>${html}`);
    return;
  }
  const parsed = { ...parseFilters(searchParamsOf(request)), problems: [] };
  const list = await readList({ context, organization, viewer, parsed, signal: whenGone(response) });
  sendPage(visit, 'audit-logs/page', list, { title, status, drawer: html });
}

function isEntry(url: string): boolean {
  return /\/audit-logs\/entries\//.test(url);
}

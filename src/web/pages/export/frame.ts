/** Addresses of the drawer, and its two ways to the browser: its fragment to htmx, the list with the drawer open to everybody else. */
import type { ConfigId, EditableConfig } from '../../../configs/configEditor.ts';
import { parseConfigId, printConfigId } from '../../exportForm.ts';
import type { ExportFrame } from '../../exportViews.ts';
import { render } from '../../render.ts';
import { isFragmentRequest, sendPage } from '../../reply.ts';
import type { Views } from '../../views.ts';
import type { Visit } from '../../visit.ts';

export function makeFrame(organization: string): ExportFrame {
  const auditLogsUrl = `/organizations/${encodeURIComponent(organization)}/audit-logs`;
  const listUrl = `${auditLogsUrl}/export`;
  return { organization, auditLogsUrl, listUrl, newUrl: `${listUrl}/new` };
}

export function destinationUrl(organization: string, id: ConfigId): string {
  return `${makeFrame(organization).listUrl}/${printConfigId(id)}`;
}

/** Of the path; null: it names none. */
export function configIdOf({ request }: Visit): ConfigId | null {
  return parseConfigId(String(request.params['id'] ?? ''));
}

export type DrawerView = 'export/list' | 'export/form' | 'export/delete' | 'export/message';

export interface DrawerOptions {
  readonly title: string;
  readonly status?: number;
  /** What the address bar shows from now on; default: as it is. */
  readonly url?: string;
}

export function sendDrawer<K extends DrawerView>(
  visit: Visit,
  view: K,
  data: Views[K],
  { title, status = 200, url }: DrawerOptions,
): void {
  const drawer = render(view, data);
  if (!isFragmentRequest(visit.request)) {
    const behind = makeFrame(visit.organization);
    sendPage(visit, 'export/behind', behind, { title, status, drawer });
    return;
  }
  if (url !== undefined && url !== currentPath(visit)) visit.response.set('HX-Push-Url', url);
  visit.response.status(status).type('html').send(drawer);
}

/** What the address bar shows, as htmx says. */
function currentPath({ request }: Visit): string | null {
  const current = request.get('HX-Current-URL');
  if (current === undefined || !URL.canParse(current)) return null;
  const { pathname, search } = new URL(current);
  return pathname + search;
}

/** The sentence for what an editor says besides `ok`, `invalid` and `changed-meanwhile`. */
export function sendMessage(
  visit: Visit,
  status: number,
  message: { readonly title: string; readonly text: string },
): void {
  sendDrawer(
    visit,
    'export/message',
    { frame: makeFrame(visit.organization), ...message },
    { title: message.title, status },
  );
}

export function sendGone(visit: Visit): void {
  sendMessage(visit, 404, {
    title: 'This destination is gone',
    text: 'It was deleted, or the address is wrong.',
  });
}

/** What a destination is called: its host, as people know the receiver. */
export function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}

/** For people and for entries: some receivers take their token in the query. */
export function withoutQuery(endpoint: string): string {
  return endpoint.replace(/\?.*$/s, '?…');
}

export function findById(configs: readonly EditableConfig[], id: ConfigId): EditableConfig | undefined {
  return configs.find((each) => each.id.namespace === id.namespace && each.id.name === id.name);
}

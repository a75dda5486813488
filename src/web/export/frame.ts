/** Addresses of the drawer's views, and what all of its handlers share. */
import type { ConfigId } from '../../configs/configEditor.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { sendProblem } from '../reply/reply.ts';
import { isFromOtherSite } from '../security/crossSite.ts';
import { logsUrl } from '../urls.ts';
import type { ExportFrame } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { parseConfigId, printConfigId } from './configId.ts';

export function makeFrame(organization: string): ExportFrame {
  const auditLogsUrl = logsUrl(organization);
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

/** The sentence for what an editor says besides `ok`, `invalid` and `changed-meanwhile`. */
export async function sendMessage(
  visit: Visit,
  status: number,
  message: { readonly title: string; readonly text: string },
): Promise<void> {
  const data = { frame: makeFrame(visit.organization), ...message };
  await sendDrawer(visit, 'export/message', data, { title: message.title, status, url: null });
}

export async function sendGone(visit: Visit): Promise<void> {
  await sendMessage(visit, 404, {
    title: 'This destination is gone',
    text: 'It was deleted, or the address is wrong.',
  });
}

/** False: another site led here, and a click is asked for first, since looking at settings is noted in the viewer's name. */
export function isOwnVisit(visit: Visit, url: string): boolean {
  const { request, response } = visit;
  if (!isFromOtherSite(request)) return true;
  sendProblem(request, response, 200, {
    title: 'Open the export settings?',
    message: 'Another site led here. That you look at these settings is noted in the audit log.',
    link: { url, text: 'Open them' },
  });
  return false;
}

/** What a destination is called: its host, as people know the receiver. */
export function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}

/** For people and for entries: some receivers take their token in the query. */
export function withoutQuery(endpoint: string): string {
  return endpoint.replace(/\?.*$/s, '?…');
}

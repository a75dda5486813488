/** The drawer's answers when there is no destination to show. */
import { sendDrawer } from '../list/sendDrawer.ts';
import { sendProblem } from '../reply/reply.ts';
import { isFromOtherSite } from '../security/crossSite.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { makeFrame } from './addresses.ts';

export const readOnlyNotice: NoticeView = {
  tone: 'info',
  title: '',
  text: 'You cannot add or change destinations here, because the collector may only read its configuration. Change it where it is kept.',
};

export async function sendGone(visit: Visit): Promise<void> {
  const text = 'It was deleted, or the address is wrong.';
  await sendMessage(visit, 404, { title: 'This destination is gone', text });
}

export async function sendUnavailable(visit: Visit, reason: string): Promise<void> {
  await sendMessage(visit, 503, { title: 'This is not possible right now', text: reason });
}

async function sendMessage(
  visit: Visit,
  status: number,
  message: { readonly title: string; readonly text: string },
): Promise<void> {
  const data = { frame: makeFrame(visit.organization), ...message };
  await sendDrawer(visit, 'export/message', data, { title: message.title, status, url: null });
}

/** False: another site led here, so a click is asked for first: looking at settings is recorded in the viewer's name. */
export function isOwnVisit(visit: Visit, url: string): boolean {
  const { request, response } = visit;
  if (!isFromOtherSite(request)) return true;
  sendProblem(request, response, 200, {
    title: 'Open the export settings?',
    message: 'Another site led here. The audit log records that you look at these settings.',
    link: { url, text: 'Open them' },
  });
  return false;
}

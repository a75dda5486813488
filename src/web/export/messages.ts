/** What the drawer says about what was done or not done, and what it answers when there is no destination to show. */
import { sendDrawer } from '../list/sendDrawer.ts';
import { sendProblem } from '../reply/reply.ts';
import { isFromOtherSite } from '../security/crossSite.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { makeFrame } from './addresses.ts';

/** Named in the address after a redirect, so that no address can say anything else. */
const done = {
  created: 'The destination was added. The collector starts it within seconds.',
  updated: 'Saved. The collector picks it up within seconds.',
  suspended: 'Suspended. Entries are kept from now on, and delivered once you resume.',
  resumed: 'Resumed. The entries that were kept are delivered now.',
  retried: 'The collector is trying again now.',
  replayed: 'The parked entries are being sent again.',
  replay_requested: 'The range is being sent again. The state above says how far it is.',
  replay_canceled: 'The replay ends where it is. What was sent stays at the receiver.',
  replayed_one: 'The entry is being sent again. If the receiver refuses it again, it stays parked.',
  deleted: 'The destination was deleted. Its entries stay in the audit log.',
} as const;

export type Done = keyof typeof done;

export function noticeFor(what: Done): NoticeView {
  return { tone: 'good', title: '', text: done[what] };
}

/** `value` is a query parameter; null: it names none. */
export function noticeOf(value: unknown): NoticeView | null {
  return typeof value === 'string' && Object.hasOwn(done, value) ? noticeFor(value as Done) : null;
}

export const unrecorded: NoticeView = {
  tone: 'warn',
  title: 'The audit log could not record this.',
  text: 'If you changed something, it holds the entry of your request, but not of the outcome. Tell the operator of the collector; its log has the reason.',
};

/** Why an editor did not do what was asked for: each kind of result has a sentence of its own. */
export function reasonOf(result: { readonly kind: string; readonly reason?: string }): string {
  switch (result.kind) {
    case 'gone':
      return 'Someone deleted this destination while you had it open.';
    case 'changed-meanwhile':
      return 'Someone changed this destination while you had it open. Look at its current version, then try again.';
    default:
      return result.reason ?? 'The configuration could not be written.';
  }
}

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

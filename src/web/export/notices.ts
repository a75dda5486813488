/** What was done, and what was not, in one sentence each. */
import type { NoticeView } from '../views/exportViews.ts';

/** Named in the address after a redirect, so that no address can say anything else. */
const done = {
  created: 'The destination was added. The collector starts it within seconds.',
  updated: 'Saved. The collector picks it up within seconds.',
  suspended: 'Suspended. Entries are kept from now on, and delivered once you resume.',
  resumed: 'Resumed. The entries that were kept are delivered now.',
  retried: 'The collector is trying again now.',
  replayed: 'The parked entries are being sent again.',
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

/** What was done, in one sentence each: named in the address after a redirect, so that no address can say anything else. */
import type { NoticeView } from '../views/exportViews.ts';

const done = {
  created: 'The destination was added. The collector starts it within seconds.',
  updated: 'Saved. The collector takes it up within seconds.',
  suspended: 'Suspended. Entries are kept from now on, and delivered once you resume.',
  resumed: 'Resumed. What was kept is delivered now.',
  retried: 'It is tried again now.',
  replayed: 'The parked entries are sent again.',
  deleted: 'The destination was deleted. Its entries stay in the audit log.',
} as const;

export type Done = keyof typeof done;

export function noticeFor(what: Done): NoticeView {
  return { tone: 'good', title: '', text: done[what] };
}

/** Of a query parameter; null: it names none. */
export function noticeOf(value: unknown): NoticeView | null {
  return typeof value === 'string' && Object.hasOwn(done, value) ? noticeFor(value as Done) : null;
}

export const unrecorded: NoticeView = {
  tone: 'warn',
  title: 'The audit log could not record this.',
  text: 'Of a change it has the entry of your request, and none of how it ended: tell the operator of the collector, whose log says why.',
};

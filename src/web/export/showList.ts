/** GET …/export: every destination of the organization. */

import { sendDrawer } from '../list/sendDrawer.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { ExportListView, NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { describeLimit, limitOf } from './destinationLimit.ts';
import { isOwnVisit, makeFrame } from './frame.ts';
import { joinStreams, readOnlyNotice, reasonOf } from './load.ts';
import { noticeOf, unrecorded } from './notices.ts';
import { recordAction } from './ownEntries.ts';
import { makeCard } from './stateView.ts';

export async function showDestinations(visit: Visit): Promise<void> {
  const { request, organization } = visit;
  if (!isOwnVisit(visit, makeFrame(organization).listUrl)) return;
  const view = await loadList(visit, noticeOf(request.query['done']));
  if (isFragmentRequest(request) && fragmentTarget(request) === 'export-destinations') {
    sendFragment(visit, 'export/destinations', view);
    return;
  }
  const isRecorded = await recordAction(visit, 'settings_viewed');
  const notices = isRecorded ? view.notices : [...view.notices, unrecorded];
  await sendDrawer(
    visit,
    'export/list',
    { ...view, notices },
    {
      title: 'Configure OTEL Export',
      url: makeFrame(organization).listUrl,
    },
  );
}

/** With the notice of what was just done. */
export async function loadList(visit: Visit, notice: NoticeView | null): Promise<ExportListView> {
  const { context, organization } = visit;
  const notices: NoticeView[] = notice === null ? [] : [notice];
  const frame = makeFrame(organization);
  const { editor } = context;
  if (editor === undefined) {
    return { frame, notices: [...notices, readOnlyNotice], destinations: [], isKnown: false, canAdd: false };
  }
  const listed = await editor.list(organization);
  if (listed.kind !== 'ok') {
    const problem: NoticeView = {
      tone: 'bad',
      title: 'The destinations cannot be read at the moment.',
      text: reasonOf(listed),
    };
    return { frame, notices: [...notices, problem], destinations: [], isKnown: false, canAdd: false };
  }
  const destinations = await joinStreams(visit, listed.value);
  const canAdd = destinations.length < limitOf(visit);
  if (!canAdd) notices.push({ tone: 'info', title: '', text: describeLimit(limitOf(visit)) });
  const now = Date.now();
  return {
    frame,
    notices,
    destinations: destinations
      .map((destination) => makeCard(organization, destination, now))
      // What stands in the way is seen first.
      .toSorted((a, b) => Number(a.error === null) - Number(b.error === null)),
    isKnown: true,
    canAdd,
  };
}

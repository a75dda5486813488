/** GET …/export: every destination of the organization. */
import { type HourOfStream, readLastDay } from '../../database/attempts.ts';
import { isDatabaseFailure } from '../../database/failure.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { ExportListView, NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { makeFrame } from './addresses.ts';
import { describeLimit, limitOf } from './destinationLimit.ts';
import { sortByTrouble } from './destinationState.ts';
import { joinStreams, type StreamedConfig } from './joinStreams.ts';
import { isOwnVisit, noticeOf, readOnlyNotice, reasonOf, unrecorded } from './messages.ts';
import { recordAction } from './ownEntries.ts';
import { makeCard } from './stateView.ts';

export async function showDestinations(visit: Visit): Promise<void> {
  const { request, organization } = visit;
  if (!isOwnVisit(visit, makeFrame(organization).listUrl)) return;
  const notice = noticeOf(request.query['done']);
  const notices = notice === null ? [] : [notice];
  if (isFragmentRequest(request) && fragmentTarget(request) === 'export-destinations') {
    sendFragment(visit, 'export/destinations', await loadList(visit, notices));
    return;
  }
  const isRecorded = await recordAction(visit, 'settings_viewed');
  await sendList(visit, isRecorded ? notices : [...notices, unrecorded]);
}

export async function sendList(visit: Visit, notices: readonly NoticeView[]): Promise<void> {
  const { listUrl } = makeFrame(visit.organization);
  const view = await loadList(visit, notices);
  await sendDrawer(visit, 'export/list', view, { title: 'Configure OTEL Export', url: listUrl });
}

async function loadList(visit: Visit, given: readonly NoticeView[]): Promise<ExportListView> {
  const { context, organization } = visit;
  const frame = makeFrame(organization);
  const unknown = (notice: NoticeView): ExportListView => ({
    ...{ frame, notices: [...given, notice], destinations: [], isKnown: false, canAdd: false },
  });
  if (context.editor === undefined) return unknown(readOnlyNotice);
  const listed = await context.editor.list(organization);
  if (listed.kind !== 'ok') {
    const title = 'The destinations cannot be read right now.';
    return unknown({ tone: 'bad', title, text: reasonOf(listed) });
  }
  const limit = limitOf(visit);
  const canAdd = listed.value.length < limit;
  const limited: NoticeView = { tone: 'info', title: '', text: describeLimit(limit) };
  const now = Date.now();
  const destinations = await joinStreams(visit, listed.value);
  const hoursOf = await readHours(visit, destinations);
  return {
    frame,
    notices: canAdd ? given : [...given, limited],
    destinations: sortByTrouble(destinations, now).map((destination) =>
      makeCard(organization, destination, hoursOf(destination), now),
    ),
    isKnown: true,
    canAdd,
  };
}

/** Cards stand without what their requests came to. */
async function readHours(
  { context, organization }: Visit,
  destinations: readonly StreamedConfig[],
): Promise<(destination: StreamedConfig) => HourOfStream[] | null> {
  const ids = destinations.flatMap(({ stream }) => stream?.streamId ?? []);
  if (ids.length === 0) return () => null;
  try {
    const hours = await readLastDay(context.db, ids);
    return ({ stream }) => hours.filter(({ streamId }) => streamId === stream?.streamId);
  } catch (error) {
    if (!isDatabaseFailure(error)) throw error;
    context.log.warn(
      { err: error, organization },
      'page: the last hours of the destinations could not be read',
    );
    return () => null;
  }
}

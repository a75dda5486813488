/** GET …/export/:id/parked: every parked entry of a destination, a page at a time; POST sends one of them again. */
import { listParked, type ParkedView, requestReplay } from '../../database/streamViews.ts';
import { formatCount } from '../format/count.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, makeFrame } from './addresses.ts';
import { onDestination } from './destinations.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { noticeFor, reasonOf, unrecorded } from './messages.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { viewParked } from './stateView.ts';

const pageSize = 50;

export const showParked = onDestination(async (visit, _editor, destination) => {
  await send(visit, destination, readAfter(visit.request.query['after']), []);
});

/** The number of the last one of the page before; 0: of the first page. */
function readAfter(text: unknown): number {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

export const replayOne = onDestination(async (visit, _editor, destination) => {
  const { context, organization, request } = visit;
  const { config, stream } = destination;
  const entry = String(request.body?.entry ?? '');
  const about = { ...describeDestination(config.id, config.spec.endpoint), entryId: entry };
  const action = 'replayed';
  const result = await doRecorded(visit, { action, about }, async (before) => {
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const entries =
      stream === null ? 0 : await requestReplay(context.db, organization, stream.streamId, entry);
    return entries === 0
      ? { kind: 'refused', reason: 'It is not parked any more, or is being sent again already.' }
      : { kind: 'ok', value: { entries } };
  });
  const after = readAfter(request.body?.after);
  if (result.kind !== 'ok') {
    const notice = { tone: 'bad', title: 'Nothing is sent again.', text: reasonOf(result) } as const;
    return await send(visit, destination, after, [notice]);
  }
  const isRecorded = await recordAction(visit, action, { ...about, ...result.value });
  await send(visit, destination, after, [noticeFor('replayed_one'), ...(isRecorded ? [] : [unrecorded])]);
});

async function send(
  visit: Visit,
  { config, stream }: StreamedConfig,
  after: number,
  notices: readonly NoticeView[],
): Promise<void> {
  const { context, organization } = visit;
  const url = destinationUrl(organization, config.id);
  const found: readonly ParkedView[] =
    stream === null ? [] : await listParked(context.db, organization, stream.streamId, pageSize + 1, after);
  const shown = found.slice(0, pageSize);
  const last = found.length > pageSize ? shown.at(-1) : undefined;
  const view = {
    frame: makeFrame(organization),
    name: config.id.name,
    notices,
    count: formatCount(stream?.parked ?? 0),
    entries: shown.map((entry) => viewParked(organization, entry)),
    after,
    parkedUrl: `${url}/parked`,
    moreUrl: last === undefined ? null : `${url}/parked?after=${last.sequence}`,
    backUrl: url,
  };
  await sendDrawer(visit, 'export/parked', view, {
    title: `Parked for ${config.id.name}`,
    url: `${url}/parked`,
  });
}

/** GET and POST …/export/:id/delete: says plainly what happens, then does it. */

import { sendDrawer } from '../list/sendDrawer.ts';
import { isFragmentRequest } from '../reply/reply.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { configIdOf, destinationUrl, hostOf, makeFrame, sendGone } from './frame.ts';
import { loadDestination, reasonOf } from './load.ts';
import { noticeFor, unrecorded } from './notices.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { sendStored, sendUnavailable } from './showForm.ts';
import { loadList } from './showList.ts';
import { type Destination, formatCount } from './stateView.ts';

export async function confirmDelete(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit, configIdOf(visit));
  if (loaded.kind === 'gone') await sendGone(visit);
  else if (loaded.kind === 'unavailable') await sendUnavailable(visit, loaded.reason);
  else await sendConfirmation(visit, loaded.destination, []);
}

async function sendConfirmation(
  visit: Visit,
  { config, stream }: Destination,
  notices: readonly NoticeView[],
): Promise<void> {
  const { organization } = visit;
  const url = destinationUrl(organization, config.id);
  const host = hostOf(config.spec.endpoint);
  const parked = stream?.parked ?? 0;
  await sendDrawer(
    visit,
    'export/delete',
    {
      frame: makeFrame(organization),
      notices,
      name: config.id.name,
      host,
      consequence: describeConsequence(config.status?.pendingEntries ?? null, host),
      parked:
        parked === 0
          ? ''
          : `${parked === 1 ? '1 entry is' : `${formatCount(parked)} entries are`} parked for it, and cannot be replayed any more.`,
      deleteUrl: `${url}/delete`,
      backUrl: url,
      revision: config.revision,
    },
    { title: `Delete ${config.id.name}?`, url: `${url}/delete` },
  );
}

function describeConsequence(pending: number | null, host: string): string {
  const rest = `stay in the audit log but will not be sent to ${host}.`;
  if (pending === null) return `Entries that are not delivered yet ${rest}`;
  if (pending === 0) {
    return `Every entry so far is delivered. New entries stay in the audit log but will not be sent to ${host}.`;
  }
  return pending === 1
    ? `1 entry is not delivered yet; it and new entries ${rest}`
    : `${formatCount(pending)} entries are not delivered yet; they and new entries ${rest}`;
}

export async function deleteDestination(visit: Visit): Promise<void> {
  const { organization } = visit;
  const loaded = await loadDestination(visit, configIdOf(visit));
  if (loaded.kind === 'gone') {
    await sendGone(visit);
    return;
  }
  if (loaded.kind === 'unavailable') {
    await sendUnavailable(visit, loaded.reason);
    return;
  }
  const { config } = loaded.destination;
  const { editor } = loaded;
  const about = describeDestination(config.id, hostOf(config.spec.endpoint));
  const revision = String(visit.request.body?.revision ?? '');
  const result = await doRecorded(visit, { deed: 'deleted', about }, (before) =>
    editor.remove(organization, config.id, revision, before),
  );
  switch (result.kind) {
    case 'ok':
      await answerDeleted(visit, loaded.destination);
      return;
    case 'gone':
      await sendGone(visit);
      return;
    case 'changed-meanwhile':
      await sendConfirmation(visit, { ...loaded.destination, config: result.current }, [
        {
          tone: 'warn',
          title: 'Nothing was deleted.',
          text: 'Somebody has changed this destination meanwhile. If it shall go all the same, delete it now.',
        },
      ]);
      return;
    default:
      await sendStored(visit, loaded.destination, [
        { tone: 'bad', title: 'Nothing was deleted.', text: reasonOf(result) },
      ]);
  }
}

async function answerDeleted(visit: Visit, { config }: Destination): Promise<void> {
  const { listUrl } = makeFrame(visit.organization);
  const isRecorded = await recordAction(visit, 'deleted', {
    ...describeDestination(config.id, hostOf(config.spec.endpoint)),
    pending: config.status?.pendingEntries ?? null,
  });
  if (isRecorded && !isFragmentRequest(visit.request)) {
    visit.response.redirect(303, `${listUrl}?done=deleted`);
    return;
  }
  const view = await loadList(visit, noticeFor('deleted'));
  const notices = isRecorded ? view.notices : [...view.notices, unrecorded];
  await sendDrawer(
    visit,
    'export/list',
    { ...view, notices },
    { title: 'Configure OTEL Export', url: listUrl },
  );
}

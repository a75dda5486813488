/** GET and POST …/export/:id/delete: says plainly what happens, then does it. */

import { formatCount } from '../format/count.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, hostOf, makeFrame } from './addresses.ts';
import { onDestination } from './destinations.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { reasonOf, sendGone } from './messages.ts';
import { answerDone, describeDestination, doRecorded } from './ownEntries.ts';
import { sendStored } from './sendForm.ts';
import { sendList } from './showList.ts';

export const confirmDelete = onDestination(async (visit, _editor, destination) => {
  await sendConfirmation(visit, destination, []);
});

async function sendConfirmation(
  visit: Visit,
  { config, stream }: StreamedConfig,
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
          : `${parked === 1 ? '1 entry is' : `${formatCount(parked)} entries are`} parked for it and can no longer be replayed.`,
      deleteUrl: `${url}/delete`,
      backUrl: url,
      revision: config.revision,
    },
    { title: `Delete ${config.id.name}?`, url: `${url}/delete` },
  );
}

function describeConsequence(pending: number | null, host: string): string {
  const rest = `stay in the audit log but will not be sent to ${host}.`;
  if (pending === null) return `Entries not delivered yet ${rest}`;
  if (pending === 0) {
    return `No entry waits for it, as far as is known. New entries stay in the audit log but will not be sent to ${host}.`;
  }
  return pending === 1
    ? `1 entry is not delivered yet; it and new entries ${rest}`
    : `${formatCount(pending)} entries are not delivered yet; they and new entries ${rest}`;
}

export const deleteDestination = onDestination(async (visit, editor, destination) => {
  const { organization } = visit;
  const { id, spec } = destination.config;
  const about = describeDestination(id, spec.endpoint);
  const revision = String(visit.request.body?.revision ?? '');
  const result = await doRecorded(visit, { action: 'deleted', about }, (before) =>
    editor.remove(organization, id, revision, before),
  );
  switch (result.kind) {
    case 'ok':
      return await answerDeleted(visit, destination, about);
    case 'gone':
      return await sendGone(visit);
    case 'changed-meanwhile': {
      const text = 'Someone changed this destination while you had it open. Delete it anyway?';
      const notice = { tone: 'warn', title: 'Nothing was deleted.', text } as const;
      return await sendConfirmation(visit, { ...destination, config: result.current }, [notice]);
    }
    default: {
      const notice = { tone: 'bad', title: 'Nothing was deleted.', text: reasonOf(result) } as const;
      return await sendStored(visit, destination, [notice]);
    }
  }
});

async function answerDeleted(
  visit: Visit,
  { config }: StreamedConfig,
  about: Readonly<Record<string, unknown>>,
): Promise<void> {
  const done = {
    action: 'deleted',
    about: { ...about, pending: config.status?.pendingEntries ?? null },
    id: null,
  } as const;
  await answerDone(visit, done, (notices) => sendList(visit, notices));
}

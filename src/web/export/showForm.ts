/** GET …/export/new and GET …/export/:id: the form of one destination. */

import { sendDrawer } from '../list/sendDrawer.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { emptyForm, toForm } from './exportForm.ts';
import { type FormInput, makeFormView } from './formView.ts';
import { configIdOf, destinationUrl, hostOf, isOwnVisit, makeFrame, sendGone, sendMessage } from './frame.ts';
import { loadDestination, loadState, makeActions, readOnlyNotice } from './load.ts';
import { noticeOf, unrecorded } from './notices.ts';
import { describeDestination, recordAction } from './ownEntries.ts';
import type { Destination } from './stateView.ts';

export async function showNewDestination(visit: Visit): Promise<void> {
  if (visit.context.editor === undefined) {
    await sendUnavailable(visit, readOnlyNotice.text);
    return;
  }
  await sendForm(
    visit,
    { organization: visit.organization, form: emptyForm, current: null },
    200,
    makeFrame(visit.organization).newUrl,
  );
}

export async function showDestination(visit: Visit): Promise<void> {
  const id = configIdOf(visit);
  if (id !== null && !isOwnVisit(visit, destinationUrl(visit.organization, id))) return;
  const loaded = await loadDestination(visit, id);
  switch (loaded.kind) {
    case 'gone':
      await sendGone(visit);
      return;
    case 'unavailable':
      await sendUnavailable(visit, loaded.reason);
      return;
    case 'found': {
      const { config } = loaded.destination;
      const isRecorded = await recordAction(
        visit,
        'settings_viewed',
        describeDestination(config.id, hostOf(config.spec.endpoint)),
      );
      const notice = noticeOf(visit.request.query['done']);
      const notices = [...(notice ? [notice] : []), ...(isRecorded ? [] : [unrecorded])];
      await sendStored(visit, loaded.destination, notices);
    }
  }
}

/** The form as the config stands. */
export async function sendStored(
  visit: Visit,
  destination: Destination,
  notices: readonly NoticeView[],
): Promise<void> {
  const { organization } = visit;
  const { config } = destination;
  const input = { organization, form: toForm(config), current: config, notices };
  await sendForm(
    visit,
    { ...input, state: await loadState(visit, destination), actions: makeActions(organization, destination) },
    200,
    destinationUrl(organization, config.id),
  );
}

export async function sendForm(visit: Visit, input: FormInput, status: number, url?: string): Promise<void> {
  const title = input.current === null ? 'Add destination' : `${input.current.id.name} · OTEL Export`;
  await sendDrawer(visit, 'export/form', makeFormView(input), {
    title,
    status,
    url: url ?? null,
  });
}

export async function sendUnavailable(visit: Visit, reason: string): Promise<void> {
  await sendMessage(visit, 503, { title: 'This cannot be done at the moment', text: reason });
}

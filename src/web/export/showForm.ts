/** GET …/export/new and …/export/:id: the form of one destination; …/export/:id/state: how it is doing. */

import { sendFragment } from '../reply/reply.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, makeFrame, parseConfigId } from './addresses.ts';
import { loadDestination, onDestination, onNew } from './destinations.ts';
import { emptyForm } from './exportForm.ts';
import { isOwnVisit, noticeOf, unrecorded } from './messages.ts';
import { describeDestination, recordAction } from './ownEntries.ts';
import { loadState, sendForm, sendStored } from './sendForm.ts';

export const showNewDestination = onNew(async (visit) => {
  await sendForm(visit, null, emptyForm, { url: makeFrame(visit.organization).newUrl });
});

export async function showDestination(visit: Visit): Promise<void> {
  const id = parseConfigId(String(visit.request.params['id'] ?? ''));
  if (id === null || isOwnVisit(visit, destinationUrl(visit.organization, id))) await show(visit);
}

const show = onDestination(async (visit, _editor, destination) => {
  const { id, spec } = destination.config;
  const about = describeDestination(id, spec.endpoint);
  const isRecorded = await recordAction(visit, 'settings_viewed', about);
  const notice = noticeOf(visit.request.query['done']);
  await sendStored(visit, destination, [...(notice ? [notice] : []), ...(isRecorded ? [] : [unrecorded])]);
});

/** Polled while the drawer is open. When it cannot be told, what is shown stays: 204 replaces nothing. */
export async function showState(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit);
  if (loaded.kind !== 'found') visit.response.status(204).end();
  else sendFragment(visit, 'export/state', await loadState(visit, loaded.destination));
}

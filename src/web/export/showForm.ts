/** GET …/export/new and GET …/export/:id: the form of one destination. */

import type { Visit } from '../visit.ts';
import { destinationUrl, hostOf, makeFrame, parseConfigId } from './addresses.ts';
import { onDestination, onNew } from './destinations.ts';
import { emptyForm } from './exportForm.ts';
import { isOwnVisit } from './messages.ts';
import { noticeOf, unrecorded } from './notices.ts';
import { describeDestination, recordAction } from './ownEntries.ts';
import { sendForm, sendStored } from './sendForm.ts';

export const showNewDestination = onNew(async (visit) => {
  await sendForm(visit, null, emptyForm, { url: makeFrame(visit.organization).newUrl });
});

export async function showDestination(visit: Visit): Promise<void> {
  const id = parseConfigId(String(visit.request.params['id'] ?? ''));
  if (id === null || isOwnVisit(visit, destinationUrl(visit.organization, id))) await show(visit);
}

const show = onDestination(async (visit, _editor, destination) => {
  const { id, spec } = destination.config;
  const about = describeDestination(id, hostOf(spec.endpoint));
  const isRecorded = await recordAction(visit, 'settings_viewed', about);
  const notice = noticeOf(visit.request.query['done']);
  await sendStored(visit, destination, [...(notice ? [notice] : []), ...(isRecorded ? [] : [unrecorded])]);
});

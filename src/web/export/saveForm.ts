/**
 * POST …/export/new and POST …/export/:id. The button that was pressed decides: save; or fill in the form, add or remove a row of
 * headers, show a record or what an endpoint resolves to, and save nothing.
 */
import type { ConfigEditor, ConfigId, EditableConfig } from '../../configs/configEditor.ts';
import { sendFragment } from '../reply/reply.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { addOnce } from './addOnce.ts';
import { describeChanges, makeConflict, specOf } from './changes.ts';
import { createWithinLimit } from './destinationLimit.ts';
import { onDestination, onNew } from './destinations.ts';
import { changeHeaderRows, type ExportForm, readForm, toDraft } from './exportForm.ts';
import { makeEndpointAbout } from './formView.ts';
import { joinStream, type StreamedConfig } from './joinStreams.ts';
import { reasonOf, sendGone } from './messages.ts';
import { answerDone, describeDestination, doRecorded, sendDone } from './ownEntries.ts';
import { showRecord } from './record/showRecord.ts';
import { sendForm, sendHeaders, sendStored } from './sendForm.ts';
import { fillForm, isFilling } from './setup/fillForm.ts';
import { findUnfilled } from './setup/unfilled.ts';
import { loadStart } from './startView.ts';
import { makeTestView, runTest } from './testForm.ts';

export const postNewDestination = onNew(postForm);
export const postDestination = onDestination(postForm);

async function postForm(
  visit: Visit,
  editor: ConfigEditor,
  destination: StreamedConfig | null,
): Promise<void> {
  const { body } = visit.request;
  const form = readForm(body);
  const button = String(body?.op ?? 'save');
  const changed = changeHeaderRows(form, button);
  if (changed !== null) await sendHeaders(visit, destination, changed);
  else if (button === 'show-endpoint') {
    sendFragment(visit, 'export/endpoint-about', makeEndpointAbout(form.values.endpoint));
  } else if (button === 'show-start') {
    const [, , time] = (await loadStart(visit, form)).choices;
    if (time) sendFragment(visit, 'export/start-count', time);
  } else if (destination === null && isFilling(button)) await fillForm(visit, form, button);
  else if (button === 'show-record') await showRecord(visit, destination, form);
  else if (destination === null) {
    const add = button === 'save' ? addOnceTested : save;
    await addOnce(
      visit,
      () => add(visit, editor, null, form),
      (id) => sendDone(visit, { action: 'created', id }, (notices) => sendSaved(visit, editor, id, notices)),
    );
  } else await save(visit, editor, destination, form);
}

/** A destination that does not take a record is added only if the viewer insists: the button `add-anyway`. */
async function addOnceTested(
  visit: Visit,
  editor: ConfigEditor,
  _none: null,
  form: ExportForm,
): Promise<ConfigId | null> {
  const tested = await runTest(visit, editor, null, form);
  if (tested.kind === 'limited' || (tested.kind === 'sent' && !tested.isDelivered)) {
    const test = makeTestView(visit, null, tested.words, tested.kind === 'sent');
    await sendForm(visit, null, form, { test, status: 422 });
    return null;
  }
  // Whatever else is wrong, saving says.
  return await save(visit, editor, null, form);
}

/** Resolves with what was saved; null: nothing was. */
async function save(
  visit: Visit,
  editor: ConfigEditor,
  destination: StreamedConfig | null,
  form: ExportForm,
): Promise<ConfigId | null> {
  const { organization } = visit;
  const current = destination?.config ?? null;
  const unfilled = findUnfilled(form);
  if (unfilled.length > 0) {
    await sendForm(visit, destination, form, { problems: unfilled, status: 422 });
    return null;
  }
  const draft = toDraft(form, { organization, current });
  const describe = (id: EditableConfig['id'] | null, after: EditableConfig['spec'] | null) => ({
    ...describeDestination(id, draft.endpoint),
    ...(after === null ? {} : describeChanges(current?.spec ?? null, after, draft)),
  });
  const action = current === null ? 'created' : 'updated';
  const about = describe(current?.id ?? null, specOf(draft));
  const result = await doRecorded(visit, { action, about }, (before) =>
    current === null
      ? createWithinLimit(visit, editor, draft, before)
      : editor.update(current.id, draft, form.values.revision, before),
  );
  switch (result.kind) {
    case 'ok': {
      const id = result.value;
      const read = await editor.read(organization, id);
      const after = read.kind === 'ok' ? read.value : null;
      const done = { action, about: describe(id, after?.spec ?? null), id } as const;
      await answerDone(visit, done, (notices) => sendSaved(visit, editor, id, notices));
      return id;
    }
    case 'invalid':
      await sendForm(visit, destination, form, { problems: result.problems, status: 422 });
      break;
    case 'changed-meanwhile': {
      const conflict = await makeConflict(visit, result.current, form);
      const now = await joinStream(visit, result.current);
      await sendForm(visit, now, form, { conflict, status: 409 });
      break;
    }
    case 'gone':
      await sendGone(visit);
      break;
    case 'refused':
    case 'unavailable': {
      const notices = [{ tone: 'bad', title: 'Nothing was saved.', text: reasonOf(result) } as const];
      const status = result.kind === 'refused' ? 409 : 503;
      await sendForm(visit, destination, form, { notices, status });
    }
  }
  return null;
}

async function sendSaved(
  visit: Visit,
  editor: ConfigEditor,
  id: ConfigId,
  notices: readonly NoticeView[],
): Promise<void> {
  const read = await editor.read(visit.organization, id);
  if (read.kind !== 'ok' || read.value === null) await sendGone(visit);
  else await sendStored(visit, await joinStream(visit, read.value), notices);
}

/**
 * POST …/export/new and POST …/export/:id, by the button that was pressed: saves; or adds or removes a row of headers, or says
 * what an endpoint comes to, and saves nothing.
 */
import type {
  ConfigDraft,
  ConfigEditor,
  ConfigId,
  EditableConfig,
  EditorResult,
} from '../../configs/configEditor.ts';
import { fields } from '../../configs/fields.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { Visit } from '../visit.ts';
import { describeChanges, findChanges, specOf } from './changes.ts';
import { makeConflict } from './conflict.ts';
import { createWithinLimit } from './destinationLimit.ts';
import { addHeaderRow, type ExportForm, readForm, removeHeaderRow, toDraft } from './exportForm.ts';
import { type FormInput, makeEndpointAbout, makeHeaders } from './formView.ts';
import { configIdOf, destinationUrl, hostOf, sendGone } from './frame.ts';
import { joinStreams, loadDestination, loadState, makeActions, readOnlyNotice, reasonOf } from './load.ts';
import { noticeFor, unrecorded } from './notices.ts';
import { describeDestination, doRecorded, recordAction } from './ownEntries.ts';
import { sendForm, sendStored, sendUnavailable } from './showForm.ts';
import type { Destination } from './stateView.ts';

export async function postNewDestination(visit: Visit): Promise<void> {
  const { editor } = visit.context;
  if (editor === undefined) {
    await sendUnavailable(visit, readOnlyNotice.text);
    return;
  }
  await postForm(visit, editor, null);
}

export async function postDestination(visit: Visit): Promise<void> {
  const loaded = await loadDestination(visit, configIdOf(visit));
  if (loaded.kind === 'gone') await sendGone(visit);
  else if (loaded.kind === 'unavailable') await sendUnavailable(visit, loaded.reason);
  else await postForm(visit, loaded.editor, loaded.destination);
}

async function postForm(visit: Visit, editor: ConfigEditor, destination: Destination | null): Promise<void> {
  const form = readForm(visit.request.body);
  const op = String(visit.request.body?.op ?? 'save');
  const removed = /^remove-header-(\d{1,4})$/.exec(op)?.[1];
  if (op === 'add-header') {
    const longer = addHeaderRow(form);
    await answerHeaders(visit, destination, longer, longer.headers.at(-1)?.index);
  } else if (removed !== undefined) {
    await answerHeaders(visit, destination, removeHeaderRow(form, Number(removed)), undefined);
  } else if (op === 'show-endpoint') {
    sendFragment(visit, 'export/endpoint-about', makeEndpointAbout(form.values.endpoint));
  } else await save(visit, editor, destination, form);
}

/** To htmx the rows alone: what is typed elsewhere, secrets too, stays in the browser. */
async function answerHeaders(
  visit: Visit,
  destination: Destination | null,
  form: ExportForm,
  newRow: number | undefined,
): Promise<void> {
  const input = await makeInput(visit, destination, form);
  const withRow = newRow === undefined ? input : { ...input, newRow };
  if (isFragmentRequest(visit.request) && fragmentTarget(visit.request) === 'export-headers') {
    sendFragment(visit, 'export/headers', makeHeaders(withRow));
  } else await sendForm(visit, withRow, 200);
}

/** The form as typed, around it what is stored. */
export async function makeInput(
  visit: Visit,
  destination: Destination | null,
  form: ExportForm,
): Promise<FormInput> {
  const { organization } = visit;
  if (destination === null) return { organization, form, current: null };
  return {
    organization,
    form,
    current: destination.config,
    state: await loadState(visit, destination),
    actions: makeActions(organization, destination),
  };
}

async function save(
  visit: Visit,
  editor: ConfigEditor,
  destination: Destination | null,
  form: ExportForm,
): Promise<void> {
  const current = destination?.config ?? null;
  const draft = toDraft(form, { organization: visit.organization, current });
  const about = {
    ...describeDestination(current?.id ?? null, hostOf(draft.endpoint)),
    ...describeChanges(findChanges(current?.spec ?? null, specOf(draft)), newValuesOf(draft)),
  };
  const deed = current === null ? 'created' : 'updated';
  const result: EditorResult<ConfigId> = await doRecorded(visit, { deed, about }, (before) =>
    current === null
      ? createWithinLimit(visit, editor, draft, before)
      : editor.update(current.id, draft, form.values.revision, before),
  );
  switch (result.kind) {
    case 'ok':
      await answerSaved(visit, editor, { id: result.value, before: current, draft });
      return;
    case 'invalid':
      await sendForm(
        visit,
        { ...(await makeInput(visit, destination, form)), problems: result.problems },
        422,
      );
      return;
    case 'changed-meanwhile': {
      const conflict = await makeConflict(visit, result.current, form);
      const [now] = await joinStreams(visit, [result.current]);
      await sendForm(visit, { ...(await makeInput(visit, now ?? null, form)), conflict }, 409);
      return;
    }
    case 'gone':
      await sendGone(visit);
      return;
    case 'refused':
    case 'unavailable': {
      const notice = { tone: 'bad', title: 'Nothing was saved.', text: reasonOf(result) } as const;
      const input = { ...(await makeInput(visit, destination, form)), notices: [notice] };
      await sendForm(visit, input, result.kind === 'refused' ? 409 : 503);
    }
  }
}

async function answerSaved(
  visit: Visit,
  editor: ConfigEditor,
  saved: { readonly id: ConfigId; readonly before: EditableConfig | null; readonly draft: ConfigDraft },
): Promise<void> {
  const { id, before, draft } = saved;
  const { organization, request, response } = visit;
  const read = await editor.read(organization, id);
  const after = read.kind === 'ok' ? read.value : null;
  const what = before === null ? 'created' : 'updated';
  const isRecorded = await recordAction(visit, what, {
    ...describeDestination(id, hostOf(draft.endpoint)),
    ...(after === null
      ? {}
      : describeChanges(findChanges(before?.spec ?? null, after.spec), newValuesOf(draft))),
  });
  const url = destinationUrl(organization, id);
  // A redirect could not say that the entry is missing.
  if (isRecorded && !isFragmentRequest(request)) {
    response.redirect(303, `${url}?done=${what}`);
    return;
  }
  const [destination] = after === null ? [] : await joinStreams(visit, [after]);
  if (destination === undefined) {
    await sendGone(visit);
    return;
  }
  await sendStored(visit, destination, [noticeFor(what), ...(isRecorded ? [] : [unrecorded])]);
}

/** Names of what was entered and is never shown. */
function newValuesOf(draft: ConfigDraft): string[] {
  const secrets = fields.filter(({ input, path }) => input === 'secret' && typeof draft[path] === 'object');
  return [
    ...draft.headers.filter(({ value }) => value !== 'kept').map(({ name }) => `headers.${name}`),
    ...secrets.map(({ recordedAs }) => recordedAs),
  ];
}

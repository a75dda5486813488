/**
 * POST …/export/new and POST …/export/:id. The button that was pressed decides: save; or add or remove a row of headers, or
 * show what an endpoint resolves to, and save nothing.
 */
import type { ConfigDraft, ConfigEditor, ConfigId, EditableConfig } from '../../configs/configEditor.ts';
import { fields } from '../../configs/fields.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, hostOf } from './addresses.ts';
import { describeChanges, findChanges, specOf } from './changes.ts';
import { makeConflict } from './conflict.ts';
import { createWithinLimit } from './destinationLimit.ts';
import { joinStream, onDestination, onNew, type StreamedConfig } from './destinations.ts';
import { addHeaderRow, type ExportForm, readForm, removeHeaderRow, toDraft } from './exportForm.ts';
import { makeEndpointAbout } from './formView.ts';
import { makeHeaders } from './headersView.ts';
import { sendGone } from './messages.ts';
import { reasonOf } from './notices.ts';
import { answerDone, describeDestination, doRecorded } from './ownEntries.ts';
import { sendForm, sendStored } from './sendForm.ts';

export const postNewDestination = onNew(postForm);
export const postDestination = onDestination(postForm);

async function postForm(
  visit: Visit,
  editor: ConfigEditor,
  destination: StreamedConfig | null,
): Promise<void> {
  const form = readForm(visit.request.body);
  const op = String(visit.request.body?.op ?? 'save');
  const removed = /^remove-header-(\d{1,4})$/.exec(op)?.[1];
  if (op === 'add-header') {
    const longer = addHeaderRow(form);
    await answerHeaders(visit, destination, longer, longer.headers.at(-1)?.index);
  } else if (removed !== undefined) {
    await answerHeaders(visit, destination, removeHeaderRow(form, Number(removed)));
  } else if (op === 'show-endpoint') {
    sendFragment(visit, 'export/endpoint-about', makeEndpointAbout(form.values.endpoint));
  } else await save(visit, editor, destination, form);
}

/** htmx gets the rows alone: what is typed elsewhere, secrets included, stays in the browser. */
async function answerHeaders(
  visit: Visit,
  destination: StreamedConfig | null,
  form: ExportForm,
  newRow?: number,
): Promise<void> {
  const { organization, request } = visit;
  const remarks = newRow === undefined ? {} : { newRow };
  if (isFragmentRequest(request) && fragmentTarget(request) === 'export-headers') {
    const current = destination?.config ?? null;
    sendFragment(visit, 'export/headers', makeHeaders({ organization, form, current, ...remarks }));
  } else await sendForm(visit, destination, form, remarks);
}

async function save(
  visit: Visit,
  editor: ConfigEditor,
  destination: StreamedConfig | null,
  form: ExportForm,
): Promise<void> {
  const current = destination?.config ?? null;
  const draft = toDraft(form, { organization: visit.organization, current });
  const about = {
    ...describeDestination(current?.id ?? null, hostOf(draft.endpoint)),
    ...describeChanges(findChanges(current?.spec ?? null, specOf(draft)), newValuesOf(draft)),
  };
  const action = current === null ? 'created' : 'updated';
  const result = await doRecorded(visit, { action, about }, (before) =>
    current === null
      ? createWithinLimit(visit, editor, draft, before)
      : editor.update(current.id, draft, form.values.revision, before),
  );
  switch (result.kind) {
    case 'ok':
      return await answerSaved(visit, editor, { id: result.value, before: current, draft });
    case 'invalid':
      return await sendForm(visit, destination, form, { problems: result.problems, status: 422 });
    case 'changed-meanwhile': {
      const conflict = await makeConflict(visit, result.current, form);
      const now = await joinStream(visit, result.current);
      return await sendForm(visit, now, form, { conflict, status: 409 });
    }
    case 'gone':
      return await sendGone(visit);
    case 'refused':
    case 'unavailable': {
      const notices = [{ tone: 'bad', title: 'Nothing was saved.', text: reasonOf(result) } as const];
      const status = result.kind === 'refused' ? 409 : 503;
      return await sendForm(visit, destination, form, { notices, status });
    }
  }
}

async function answerSaved(
  visit: Visit,
  editor: ConfigEditor,
  saved: { readonly id: ConfigId; readonly before: EditableConfig | null; readonly draft: ConfigDraft },
): Promise<void> {
  const { id, before, draft } = saved;
  const read = await editor.read(visit.organization, id);
  const after = read.kind === 'ok' ? read.value : null;
  const changes =
    after === null ? {} : describeChanges(findChanges(before?.spec ?? null, after.spec), newValuesOf(draft));
  const done = {
    action: before === null ? ('created' as const) : ('updated' as const),
    about: { ...describeDestination(id, hostOf(draft.endpoint)), ...changes },
    url: destinationUrl(visit.organization, id),
  };
  await answerDone(visit, done, async (notices) => {
    if (after === null) await sendGone(visit);
    else await sendStored(visit, await joinStream(visit, after), notices);
  });
}

/** Names of what was entered and is never shown. */
function newValuesOf(draft: ConfigDraft): string[] {
  const secrets = fields.filter(({ input, path }) => input === 'secret' && typeof draft[path] === 'object');
  return [
    ...draft.headers.filter(({ value }) => value !== 'kept').map(({ name }) => `headers.${name}`),
    ...secrets.map(({ recordedAs }) => recordedAs),
  ];
}

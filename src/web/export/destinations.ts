/** Gives the handlers of the drawer the destination that the address names. */
import type { ConfigEditor } from '../../configs/configEditor.ts';
import type { Handler, Visit } from '../visit.ts';
import { parseConfigId } from './addresses.ts';
import { joinStream, type StreamedConfig } from './joinStreams.ts';
import { readOnlyNotice, reasonOf, sendGone, sendUnavailable } from './messages.ts';

type Handle<T> = (visit: Visit, editor: ConfigEditor, destination: T) => Promise<void>;

/** A handler for the destination that the address names; where there is none to be had, that is the answer. */
export function onDestination(handle: Handle<StreamedConfig>): Handler {
  return async (visit) => {
    const loaded = await loadDestination(visit);
    if (loaded.kind === 'gone') await sendGone(visit);
    else if (loaded.kind === 'unavailable') await sendUnavailable(visit, loaded.reason);
    else await handle(visit, loaded.editor, loaded.destination);
  };
}

/** The same for a destination that does not exist yet. */
export function onNew(handle: Handle<null>): Handler {
  return async (visit) => {
    const { editor } = visit.context;
    if (editor === undefined) await sendUnavailable(visit, readOnlyNotice.text);
    else await handle(visit, editor, null);
  };
}

type Loaded =
  | { readonly kind: 'found'; readonly editor: ConfigEditor; readonly destination: StreamedConfig }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export async function loadDestination(visit: Visit): Promise<Loaded> {
  const { context, organization, request } = visit;
  const { editor } = context;
  if (editor === undefined) return { kind: 'unavailable', reason: readOnlyNotice.text };
  const id = parseConfigId(String(request.params['id'] ?? ''));
  if (id === null) return { kind: 'gone' };
  const read = await editor.read(organization, id);
  if (read.kind !== 'ok') return { kind: 'unavailable', reason: reasonOf(read) };
  if (read.value === null) return { kind: 'gone' };
  return { kind: 'found', editor, destination: await joinStream(visit, read.value) };
}

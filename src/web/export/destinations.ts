/** Destinations with their streams, as the handlers of the drawer are given them. */
import type { ConfigEditor, EditableConfig } from '../../configs/configEditor.ts';
import { findLastChange } from '../../database/exportChanges.ts';
import { isDatabaseFailure } from '../../database/failure.ts';
import { readStreams, type StreamView } from '../../database/streamViews.ts';
import type { Handler, Visit } from '../visit.ts';
import { parseConfigId, printConfigId } from './addresses.ts';
import { readOnlyNotice, reasonOf, sendGone, sendUnavailable } from './messages.ts';

/** A config of the organization, as the drawer shows it. */
export interface StreamedConfig {
  readonly config: EditableConfig;
  /** null: it has none yet. */
  readonly stream: StreamView | null;
  /** The database did not answer, so nothing is known but an old status. */
  readonly isDatabaseAway?: boolean;
  /** RFC 3339: when someone changed it on the page within the last hour. Read only where an error stands; null: nobody did. */
  readonly changedAt?: string | null;
}

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

export async function joinStream(visit: Visit, config: EditableConfig): Promise<StreamedConfig> {
  const [destination] = await joinStreams(visit, [config]);
  return destination ?? { config, stream: null };
}

export async function joinStreams(
  { context, organization }: Pick<Visit, 'context' | 'organization'>,
  configs: readonly EditableConfig[],
): Promise<StreamedConfig[]> {
  const keys = configs.flatMap(({ key }) => key ?? []);
  try {
    const streams = await readStreams(context.db, organization, keys);
    return await Promise.all(
      configs.map(async (config) => {
        const stream = streams.find(({ configKey }) => configKey === config.key) ?? null;
        const hasError = stream?.lastError != null && stream.lastError.resolvedTime === undefined;
        const changedAt = hasError
          ? ((await findLastChange(context.db, organization, printConfigId(config.id)))?.occurredAt ?? null)
          : null;
        return { config, stream, changedAt };
      }),
    );
  } catch (error) {
    if (!isDatabaseFailure(error)) throw error;
    context.log.warn({ err: error, organization }, 'page: the streams of the destinations could not be read');
    return configs.map((config) => ({ config, stream: null, isDatabaseAway: true }));
  }
}

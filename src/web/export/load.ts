/** What the handlers of the drawer read: destinations with their streams. */
import type { ConfigEditor, ConfigId, EditableConfig } from '../../configs/configEditor.ts';
import { listParked, readStreams } from '../../database/streamViews.ts';
import type { ActionsView, ExportStateView, NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl } from './frame.ts';
import { type Destination, makeStateView } from './stateView.ts';

/** Parked entries that are looked at; the rest is a number. */
const listedParked = 5;

export const readOnlyNotice: NoticeView = {
  tone: 'info',
  title: '',
  text: 'The source of the configuration can only be read: destinations are added and changed where it is kept.',
};

export type Loaded =
  | { readonly kind: 'found'; readonly editor: ConfigEditor; readonly destination: Destination }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unavailable'; readonly reason: string };

export async function loadDestination(visit: Visit, id: ConfigId | null): Promise<Loaded> {
  const { editor } = visit.context;
  if (editor === undefined) return { kind: 'unavailable', reason: readOnlyNotice.text };
  if (id === null) return { kind: 'gone' };
  const read = await editor.read(visit.organization, id);
  if (read.kind !== 'ok') return { kind: 'unavailable', reason: reasonOf(read) };
  if (read.value === null) return { kind: 'gone' };
  const [destination] = await joinStreams(visit, [read.value]);
  return destination === undefined ? { kind: 'gone' } : { kind: 'found', editor, destination };
}

export async function joinStreams(
  { context, organization }: Visit,
  configs: readonly EditableConfig[],
): Promise<Destination[]> {
  const streams = await readStreams(
    context.db,
    organization,
    configs.flatMap(({ key }) => key ?? []),
  );
  return configs.map((config) => ({
    config,
    stream: streams.find(({ configKey }) => configKey === config.key) ?? null,
  }));
}

export async function loadState(
  { context, organization }: Visit,
  destination: Destination,
): Promise<ExportStateView> {
  const { stream } = destination;
  const parked =
    stream === null || stream.parked === 0
      ? []
      : await listParked(context.db, organization, stream.streamId, listedParked);
  return makeStateView(organization, destination, parked, Date.now());
}

export function makeActions(organization: string, { config, stream }: Destination): ActionsView {
  const url = destinationUrl(organization, config.id);
  const parked = stream?.parked ?? 0;
  return {
    suspend: {
      url: `${url}/${config.spec.suspend ? 'resume' : 'suspend'}`,
      isSuspended: config.spec.suspend,
      owner: config.owners.get('suspend') ?? null,
    },
    retryUrl: `${url}/retry`,
    replay: parked === 0 ? null : { url: `${url}/replay`, count: parked },
    deleteUrl: `${url}/delete`,
    deleteRefusal: config.readOnly,
  };
}

/** Of a result that is no success; each of these kinds is said in a sentence of its own. */
export function reasonOf(result: { readonly kind: string; readonly reason?: string }): string {
  switch (result.kind) {
    case 'gone':
      return 'This destination was deleted meanwhile.';
    case 'changed-meanwhile':
      return 'Somebody has changed this destination meanwhile: look at it as it is now, then try again.';
    default:
      return result.reason ?? 'The configuration could not be written.';
  }
}

/** Shows the form of one destination, with how the destination is doing around it. */
import type { Database } from '../../database/pool.ts';
import { readReplays } from '../../database/replays.ts';
import { listParked } from '../../database/streamViews.ts';
import type { Replay } from '../../model/replay.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import { fragmentTarget, isFragmentRequest, sendFragment } from '../reply/reply.ts';
import type { ExportStateView, NoticeView } from '../views/exportViews.ts';
import type { ActionsView } from '../views/formViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl } from './addresses.ts';
import { type ExportForm, toForm } from './exportForm.ts';
import { type FormRemarks, makeHeaders } from './fieldViews.ts';
import { makeFormView } from './formView.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { loadStart } from './startView.ts';
import { makeStateView } from './stateView.ts';

/** Parked entries that are listed; the rest is a number. */
const listedParked = 5;

export interface FormOptions extends FormRemarks {
  /** Default: 200. */
  readonly status?: number;
  /** The address of what is shown; default: the browser keeps its own. */
  readonly url?: string;
}

/** `destination` null: a new one. Only htmx leaves in the browser what was pasted; a whole page has it no more. */
export async function sendForm(
  visit: Visit,
  destination: StreamedConfig | null,
  form: ExportForm,
  { status = 200, url, ...remarks }: FormOptions = {},
): Promise<void> {
  const { organization } = visit;
  const current = destination?.config ?? null;
  const view = makeFormView({
    ...{ organization, current, ...remarks },
    form: isFragmentRequest(visit.request) ? form : { ...form, pasted: [] },
    start: destination === null ? await loadStart(visit, form) : null,
    state: destination === null ? null : await loadState(visit, destination),
    actions: destination === null ? null : makeActions(organization, destination),
  });
  const title = current === null ? view.title : `${view.title} · OTEL Export`;
  await sendDrawer(visit, 'export/form', view, { title, status, url: url ?? null });
}

/** After a button of the rows. htmx gets the rows alone: what is typed elsewhere, secrets included, stays in the browser. */
export async function sendHeaders(
  visit: Visit,
  destination: StreamedConfig | null,
  { form, ...remarks }: { readonly form: ExportForm; readonly newRow?: number },
): Promise<void> {
  const { organization, request } = visit;
  if (isFragmentRequest(request) && fragmentTarget(request) === 'export-headers') {
    const current = destination?.config ?? null;
    sendFragment(visit, 'export/headers', makeHeaders({ organization, form, current, ...remarks }));
  } else await sendForm(visit, destination, form, { ...remarks, notices: sayWhatIsGone(form) });
}

/** A whole page does not give back what it was sent as a secret: without this, Save would keep the old value and say "Saved." */
export function sayWhatIsGone({ headers }: ExportForm): NoticeView[] {
  const gone = headers
    .filter(({ value }) => value.reveal() !== '')
    .map(({ name }) => name || 'without a name');
  if (gone.length === 0) return [];
  const text = `Enter it again before you save: ${gone.join(', ')}.`;
  return [{ tone: 'warn', title: 'The value that you typed was not kept.', text }];
}

/** The form as the config stands. */
export async function sendStored(
  visit: Visit,
  destination: StreamedConfig,
  notices: readonly NoticeView[],
): Promise<void> {
  const { config } = destination;
  const url = destinationUrl(visit.organization, config.id);
  await sendForm(visit, destination, toForm(config), { notices, url });
}

export async function loadState(
  { context, organization }: Visit,
  destination: StreamedConfig,
): Promise<ExportStateView> {
  const { stream } = destination;
  const parked =
    stream === null || stream.parked === 0
      ? []
      : await listParked(context.db, organization, stream.streamId, listedParked);
  const replay = stream === null ? null : await readLatestReplay(context.db, stream.streamId);
  return makeStateView(
    organization,
    destination,
    { parked, replay },
    { now: Date.now(), pace: context.pace },
  );
}

async function readLatestReplay(db: Database, streamId: string): Promise<Replay | null> {
  const [latest] = await readReplays(db, streamId, 1);
  const isOld = latest?.endedAt != null && Date.now() - Date.parse(latest.endedAt) > 86_400_000;
  return latest === undefined || isOld ? null : latest;
}

function makeActions(organization: string, { config, stream }: StreamedConfig): ActionsView {
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
    historyUrl: `${url}/history`,
    againUrl: `${url}/again`,
    deleteUrl: `${url}/delete`,
    deleteRefusal: config.readOnly,
  };
}

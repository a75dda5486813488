/**
 * The page's own audit entries: who looked at, tried or changed the export of an organization.
 *
 *   what is asked for (`requested`) → the action → how it ended (`updated` and its like, or `request_failed`)
 *
 * The first entry is written before anything changes, so that no failure in between leaves a change without an entry; what
 * cannot be recorded is not done.
 */
import type { BeforeWrite, ConfigId, EditorResult } from '../../configs/configEditor.ts';
import { type OwnEntry, writeEntry, writeEntryOnceAnHour } from '../../database/entries.ts';
import { isPostgresError } from '../../telemetry/sqlState.ts';
import { isFragmentRequest } from '../reply/reply.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, hostOf, makeFrame, printConfigId } from './addresses.ts';
import { type Done, noticeFor, reasonOf, unrecorded } from './messages.ts';

/** What a viewer can ask for. */
type RequestedAction = Done | 'tested';

type ExportAction = 'settings_viewed' | RequestedAction | 'requested' | 'request_failed';

type Metadata = Readonly<Record<string, unknown>>;

/** `id` null: it has no name yet. */
export function describeDestination(id: ConfigId | null, endpoint: string): Record<string, unknown> {
  const host = hostOf(endpoint);
  return { ...(id === null ? {} : { destination: printConfigId(id) }), ...(host === '' ? {} : { host }) };
}

/** False: the entry could not be written, which is logged. Say so: what was done stays done. */
export async function recordAction(
  visit: Visit,
  action: ExportAction,
  metadata: Metadata = {},
): Promise<boolean> {
  return (await write(visit, action, metadata)) === null;
}

/**
 * Does what was asked for, once that is recorded; `act` calls its argument right before it changes anything, and gives up
 * when the answer is not `ok`. The caller records a success.
 */
export async function doRecorded<T>(
  visit: Visit,
  { action, about }: { readonly action: RequestedAction; readonly about: Metadata },
  act: (before: BeforeWrite) => Promise<EditorResult<T>>,
): Promise<EditorResult<T>> {
  let isRequested = false;
  const fail = (reason: string) => recordAction(visit, 'request_failed', { action, ...about, reason });
  try {
    const result = await act(async () => {
      const failure = await write(visit, 'requested', { action, ...about });
      if (failure !== null) return { kind: 'unavailable', reason: describeUnrecordable(failure) };
      isRequested = true;
      return { kind: 'ok', value: undefined };
    });
    if (isRequested && result.kind !== 'ok') await fail(reasonOf(result));
    return result;
  } catch (error) {
    if (isRequested) await fail('The page failed; its log has the details.');
    throw error;
  }
}

interface WasDone {
  readonly action: Done;
  /** null: the list has what is left of it. */
  readonly id: ConfigId | null;
}

type Show = (notices: readonly NoticeView[]) => Promise<void>;

/** Records that an action succeeded, and answers; by `show` too where the entry could not be written, which a redirect cannot say. */
export async function answerDone(
  visit: Visit,
  { about, ...done }: WasDone & { readonly about: Metadata },
  show: Show,
): Promise<void> {
  if (await recordAction(visit, done.action, about)) await sendDone(visit, done, show);
  else await show([noticeFor(done.action), unrecorded]);
}

/** By a redirect to the destination or the list; for htmx, by `show`. */
export async function sendDone(visit: Visit, { action, id }: WasDone, show: Show): Promise<void> {
  const { organization, request, response } = visit;
  if (isFragmentRequest(request)) return await show([noticeFor(action)]);
  const url = id === null ? makeFrame(organization).listUrl : destinationUrl(organization, id);
  response.redirect(303, `${url}?done=${action}`);
}

function describeUnrecordable(error: Error): string {
  return isPostgresError(error) && error.code === '42501'
    ? 'The audit log cannot record it, because the collector’s role may not insert into audit.entries. Tell the operator of the collector.'
    : 'The audit log cannot record it right now. Try again in a moment.';
}

/** null: written. */
async function write(
  { context, organization, viewer }: Visit,
  action: ExportAction,
  metadata: Metadata,
): Promise<Error | null> {
  const entry: OwnEntry = {
    organization,
    eventType: `audit_export.${action}`,
    actorId: viewer.id,
    actorName: viewer.name,
    sessionType: 'user',
    project: null,
    metadata: withoutNul(metadata) as Metadata,
  };
  try {
    await (action === 'settings_viewed' ? writeEntryOnceAnHour : writeEntry)(context.db, entry);
    return null;
  } catch (error) {
    context.log.error(
      { err: error, organization, action },
      'page: an audit entry of its own was not written',
    );
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** jsonb takes every character but this one. */
function withoutNul(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed();
  if (Array.isArray(value)) return value.map(withoutNul);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutNul(each)]));
}

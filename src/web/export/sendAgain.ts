/** GET and POST …/export/:id/again: sends the entries of a range of time once more; says about how many, and how far replays are. */
import { isRealTime } from '../../basics/isRealTime.ts';
import { mostCounted } from '../../database/countEntries.ts';
import { askReplay, cancelReplay, readReplays } from '../../database/replays.ts';
import { formatCount } from '../format/count.ts';
import { sendDrawer } from '../list/sendDrawer.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, makeFrame } from './addresses.ts';
import { onDestination } from './destinations.ts';
import { toForm } from './exportForm.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { reasonOf, sendGone } from './messages.ts';
import { answerDone, describeDestination, doRecorded } from './ownEntries.ts';
import { viewReplay } from './replayView.ts';
import { countFor } from './startView.ts';

const listedReplays = 10;

/** As typed: the values of `datetime-local` inputs, in UTC. */
interface TypedRange {
  readonly from: string;
  readonly until: string;
}

interface Shown extends TypedRange {
  readonly notices: readonly NoticeView[];
  /** How many there are; null: nothing was asked for, or what was typed is wrong. */
  readonly count: string | null;
  readonly status?: number;
}

export const showSendAgain = onDestination(async (visit, _editor, destination) => {
  const until = new Date();
  const from = new Date(until.getTime() - 86_400_000);
  const [since, before] = [from, until].map((at) => at.toISOString().slice(0, 16));
  await send(visit, destination, { from: since ?? '', until: before ?? '', notices: [], count: null });
});

export const postSendAgain = onDestination(async (visit, _editor, destination) => {
  const { body } = visit.request;
  const typed = { from: String(body?.from ?? ''), until: String(body?.until ?? '') };
  const problem = findProblem(typed, destination);
  if (problem !== null) {
    const notices = [{ tone: 'bad', title: 'Nothing is sent again.', text: problem } as const];
    await send(visit, destination, { ...typed, notices, count: null, status: 422 });
  } else if (body?.op === 'send') await ask(visit, destination, typed);
  else {
    const range = { since: toTime(typed.from), until: toTime(typed.until) };
    const entries = await countFor(visit, toForm(destination.config), range);
    await send(visit, destination, { ...typed, notices: [], count: describeCount(entries) });
  }
});

function findProblem({ from, until }: TypedRange, { stream }: StreamedConfig): string | null {
  for (const [label, text] of [
    ['From', from],
    ['Until', until],
  ] as const)
    if (!isTyped(text))
      return `“${label}” is ${text === '' ? 'empty' : `“${text.slice(0, 40)}”, which is no time`}: enter one such as 2026-11-01T14:05.`;
  if (toTime(from) >= toTime(until)) return '“Until” must be later than “From”.';
  if (Date.parse(toTime(from)) > Date.now()) return '“From” lies in the future: nothing is dated there yet.';
  if (stream === null) return 'The collector has not taken up this destination yet. Try again in a moment.';
  return null;
}

function isTyped(text: string): boolean {
  return /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?$/.test(text) && isRealTime(`${text}Z`);
}

/** Always with seconds, so that texts sort as times. */
function toTime(typed: string): string {
  return `${typed.length === 16 ? `${typed}:00` : typed}Z`;
}

/** null: it could not be counted in time. */
function describeCount(entries: number | null): string {
  if (entries === null) return 'Very many entries are dated in this range.';
  if (entries === 0) return 'No entry of this range is sent to this destination.';
  const number = entries > mostCounted ? `More than ${formatCount(mostCounted)}` : formatCount(entries);
  return `${number} ${entries === 1 ? 'entry' : 'entries'} of this range will be sent again.`;
}

async function ask(visit: Visit, destination: StreamedConfig, typed: TypedRange): Promise<void> {
  const { context, viewer } = visit;
  const { config, stream } = destination;
  const range = { since: toTime(typed.from), until: toTime(typed.until) };
  const about = {
    ...describeDestination(config.id, config.spec.endpoint),
    from: range.since,
    until: range.until,
  };
  const action = 'replay_requested';
  const result = await doRecorded(visit, { action, about }, async (before) => {
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const asked = await askReplay(context.db, stream?.streamId ?? '', {
      ...range,
      by: viewer.name ?? viewer.id,
    });
    return asked.kind === 'asked'
      ? { kind: 'ok', value: { replay: asked.id } }
      : { kind: 'refused', reason: asked.problem };
  });
  if (result.kind === 'ok') {
    await answerDone(visit, { action, about: { ...about, ...result.value }, id: config.id }, (notices) =>
      send(visit, destination, { ...typed, notices, count: null }),
    );
    return;
  }
  const notices = [{ tone: 'bad', title: 'Nothing is sent again.', text: reasonOf(result) } as const];
  await send(visit, destination, { ...typed, notices, count: null, status: 422 });
}

export const cancelSendAgain = onDestination(async (visit, _editor, destination) => {
  const { context, organization, viewer, request } = visit;
  const { id, spec } = destination.config;
  const replay = String(request.body?.replay ?? '');
  const about = { ...describeDestination(id, spec.endpoint), replay };
  const action = 'replay_canceled';
  const result = await doRecorded(visit, { action, about }, async (before) => {
    const agreed = await before();
    if (agreed.kind !== 'ok') return agreed;
    const isCanceled = await cancelReplay(context.db, organization, replay, viewer.name ?? viewer.id);
    return isCanceled
      ? { kind: 'ok', value: undefined }
      : { kind: 'refused', reason: 'It has ended meanwhile, or there is none.' };
  });
  if (result.kind === 'gone') return await sendGone(visit);
  if (result.kind === 'ok') {
    return await answerDone(visit, { action, about, id }, (notices) =>
      send(visit, destination, { from: '', until: '', notices, count: null }),
    );
  }
  const notices = [{ tone: 'bad', title: 'Nothing was canceled.', text: reasonOf(result) } as const];
  await send(visit, destination, { from: '', until: '', notices, count: null });
});

async function send(
  visit: Visit,
  { config, stream }: StreamedConfig,
  { status = 200, ...shown }: Shown,
): Promise<void> {
  const { context, organization } = visit;
  const url = destinationUrl(organization, config.id);
  const replays = stream === null ? [] : await readReplays(context.db, stream.streamId, listedReplays);
  const view = {
    ...shown,
    frame: makeFrame(organization),
    name: config.id.name,
    againUrl: `${url}/again`,
    cancelUrl: `${url}/again/cancel`,
    backUrl: url,
    replays: replays.map(viewReplay),
  };
  await sendDrawer(visit, 'export/again', view, {
    title: `Send again to ${config.id.name}`,
    status,
    url: `${url}/again`,
  });
}

/** Says above the list which destinations do not get their entries: polled, and on the page itself. */
import { setTimeout as delay } from 'node:timers/promises';
import { adviceFor } from '../../model/reasons.ts';
import { type StateName, states } from '../../model/states.ts';
import { destinationUrl, makeFrame } from '../export/addresses.ts';
import { findLastError, sinceOf, sortByTrouble, stateOf } from '../export/destinationState.ts';
import { joinStreams, type StreamedConfig } from '../export/joinStreams.ts';
import { badgeOf } from '../export/stateView.ts';
import { sendFragment } from '../reply/reply.ts';
import type { ExportTroubleView, TroubleView } from '../views/listViews.ts';
import type { Visit } from '../visit.ts';

type Place = Pick<Visit, 'context' | 'organization'>;

/** The list is not kept waiting: without an answer by then it stands without a banner, and the poll brings it. */
const mostMs = 300;
const mostShown = 3;
/** A rejection cannot be undone. For so long it is news. */
const rejectionIsNewsMs = 7 * 24 * 60 * 60_000;

/** When it cannot be told, what is shown stays: 204 replaces nothing. */
export async function showExportTrouble(visit: Visit): Promise<void> {
  const trouble = await readTrouble(visit);
  if (trouble === null) visit.response.status(204).end();
  else sendFragment(visit, 'audit-logs/trouble-part', trouble);
}

/** For the page: soon, or without. */
export async function readTroubleSoon(place: Place): Promise<ExportTroubleView> {
  const late = new AbortController();
  const nothing = () => null;
  try {
    const trouble = await Promise.race([
      readTrouble(place),
      delay(mostMs, undefined, { signal: late.signal, ref: false }).then(nothing, nothing),
    ]);
    return trouble ?? makeTrouble(place.organization, []);
  } finally {
    late.abort();
  }
}

/** null: it cannot be told. */
async function readTrouble(place: Place): Promise<ExportTroubleView | null> {
  const { context, organization } = place;
  try {
    const listed = await context.editor?.list(organization);
    if (listed === undefined) return makeTrouble(organization, []);
    if (listed.kind !== 'ok') return null;
    return makeTrouble(organization, await joinStreams(place, listed.value));
  } catch (error) {
    context.log.warn({ err: error, organization }, 'page: the state of the destinations could not be read');
    return null;
  }
}

function makeTrouble(organization: string, destinations: readonly StreamedConfig[]): ExportTroubleView {
  const now = Date.now();
  const troubled = sortByTrouble(destinations, now).flatMap((destination) => {
    const state = stateOf(destination, now);
    return isNews(destination, state, now) ? [describe(organization, destination, state)] : [];
  });
  return {
    url: `${makeFrame(organization).auditLogsUrl}/trouble?live=1`,
    listUrl: makeFrame(organization).listUrl,
    troubled: troubled.slice(0, mostShown),
    more: Math.max(0, troubled.length - mostShown),
    tone: troubled.length === 0 ? null : troubled.some(({ badge }) => badge.tone === 'bad') ? 'bad' : 'warn',
  };
}

function isNews({ stream }: StreamedConfig, state: StateName, now: number): boolean {
  const { trouble } = states[state];
  if (trouble !== 'missing' || (stream?.parked ?? 0) > 0) return trouble !== null;
  const error = stream?.lastError;
  return error?.reason !== 'PartialSuccess' || now - Date.parse(error.time) < rejectionIsNewsMs;
}

function describe(organization: string, destination: StreamedConfig, state: StateName): TroubleView {
  const { id } = destination.config;
  return {
    name: id.name,
    url: destinationUrl(organization, id),
    badge: badgeOf(state),
    since: sinceOf(destination, state),
    why: shorten(whyOf(destination, state)),
    action: actionOf(state),
  };
}

/** Only what an admin can fix is theirs to fix. */
function actionOf(state: StateName): string {
  if (state === 'retrying') return 'See why';
  return state === 'database-unavailable' || state === 'not-reporting' ? 'Open it' : 'Fix it';
}

function whyOf(destination: StreamedConfig, state: StateName): string {
  const { config, stream } = destination;
  const parked = stream?.parked ?? 0;
  const rejected = stream?.rejected ?? 0;
  switch (state) {
    case 'misconfigured':
      return config.problems[0] ?? states[state].sentence;
    case 'incomplete':
      return [
        ...(parked > 0 ? [`${parked === 1 ? '1 entry is' : `${parked} entries are`} parked.`] : []),
        ...(rejected > 0
          ? [`The receiver rejected ${rejected === 1 ? '1 entry' : `${rejected} entries`}.`]
          : []),
      ].join(' ');
    case 'holding':
    case 'retrying': {
      const error = findLastError(destination);
      return error === null
        ? states[state].sentence
        : error.message.replace(adviceFor(error.reason), '').trimEnd();
    }
    default:
      return states[state].sentence;
  }
}

/** One line: the destination has the rest. */
function shorten(words: string): string {
  const plain = words.replaceAll(/\s+/g, ' ');
  return plain.length > 160 ? `${plain.slice(0, 159).trimEnd()}…` : plain;
}

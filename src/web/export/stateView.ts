/** What the drawer shows of a destination's state: badge, errors with what to do, figures, parked entries. */
import type { ParkedView } from '../../database/streamViews.ts';
import { adviceFor } from '../../model/reasons.ts';
import type { Replay } from '../../model/replay.ts';
import { type StateName, states } from '../../model/states.ts';
import type { LastError } from '../../model/streamStatus.ts';
import { formatCount } from '../format/count.ts';
import type {
  BadgeView,
  ErrorView,
  ExportCardView,
  ExportStateView,
  FactView,
  ParkedEntryView,
  ParkedListView,
} from '../views/exportViews.ts';
import { destinationUrl, makeFrame, withoutQuery } from './addresses.ts';
import type { CountedHour } from './attemptBars.ts';
import { makeDay } from './dayView.ts';
import { countersOf, findLastError, isOfPreviousSettings, sinceOf, stateOf } from './destinationState.ts';
import type { StreamedConfig } from './joinStreams.ts';
import { viewReplay } from './replayView.ts';

/** How long the collector waits between two tries, at most. */
export interface Pace {
  readonly retryMs: number;
  readonly holdMs: number;
}

export function makeStateView(
  organization: string,
  destination: StreamedConfig,
  { parked, replay }: { readonly parked: readonly ParkedView[]; readonly replay: Replay | null },
  { now, pace }: { readonly now: number; readonly pace: Pace | undefined },
): ExportStateView {
  const state = stateOf(destination, now);
  const url = destinationUrl(organization, destination.config.id);
  return {
    frame: makeFrame(organization),
    stateUrl: `${url}/state`,
    badge: badgeOf(state),
    sentence: sentenceOf(destination, state),
    since: state === 'not-reporting' ? sinceOf(destination, state) : null,
    errors: makeErrors(destination, state, { now, pace }),
    facts: makeFacts(destination),
    parked: makeParked(organization, `${url}/parked`, destination.stream?.parked ?? 0, parked),
    replay: replay && viewReplay(replay),
  };
}

/** `hours`: how its requests of the last 24 hours went; null: not known. */
export function makeCard(
  organization: string,
  destination: StreamedConfig,
  hours: readonly CountedHour[] | null,
  now: number,
): ExportCardView {
  const { id, spec } = destination.config;
  const state = stateOf(destination, now);
  const error = makeErrors(destination, state, { now }).find(({ resolved }) => resolved === null);
  return {
    url: destinationUrl(organization, id),
    name: id.name,
    endpoint: withoutQuery(spec.endpoint),
    badge: badgeOf(state),
    error: error === undefined ? null : { ...error, retry: null },
    facts: makeFacts(destination).filter(({ label }) => label !== 'Rejected'),
    day: hours !== null && isDayKnown(destination, hours, now) ? makeDay(hours, now) : null,
  };
}

/** Not before anything was sent; nor within the minute after that, when no hour is kept yet: "no request" would be wrong. */
function isDayKnown({ stream }: StreamedConfig, hours: readonly CountedHour[], now: number): boolean {
  if (hours.length > 0) return true;
  return stream?.lastDeliveryAt != null && now - Date.parse(stream.lastDeliveryAt) > 86_400_000;
}

export function badgeOf(state: StateName): BadgeView {
  const { tone, icon, word } = states[state];
  return { tone, icon, word };
}

function sentenceOf({ stream }: StreamedConfig, state: StateName): string {
  if (state === 'misconfigured' && stream?.isHeld)
    return 'This configuration cannot be used. Until it is fixed, the last good version stays in force.';
  return states[state].sentence;
}

/** Whether another try now, rather than later, can be of any use. */
function canRetry(state: StateName): boolean {
  return state === 'retrying' || state === 'holding';
}

function makeErrors(
  destination: StreamedConfig,
  state: StateName,
  { now, pace }: { readonly now: number; readonly pace?: Pace | undefined },
): ErrorView[] {
  const { problems, readOnly } = destination.config;
  const errors: ErrorView[] = problems.map((message) => ({
    ...plainError,
    tone: 'bad',
    title: 'Problem in the configuration',
    message,
  }));
  const last = findLastError(destination);
  if (last === null) return errors;
  const isOver = last.resolvedTime !== undefined;
  const isPrevious = isOfPreviousSettings(destination, now);
  const stands = !isOver && !isPrevious;
  errors.push({
    tone: !stands ? 'idle' : state === 'holding' ? 'bad' : 'warn',
    title: isOver
      ? 'Last error, over since'
      : isPrevious
        ? describePrevious(destination, last)
        : 'Most recent error',
    time: last.time,
    httpStatus: last.httpStatus === undefined ? null : `HTTP ${last.httpStatus}`,
    message: withoutAdvice(last),
    advice: stands ? adviceFor(last.reason) : '',
    resolved: last.resolvedTime ?? null,
    retry:
      stands && readOnly === null && canRetry(state)
        ? { pace: describePace(state, last.reason, pace), nextTryAt: nextTryOf(destination, now) }
        : null,
  });
  return errors;
}

function describePrevious({ changedAt }: StreamedConfig, { time }: LastError): string {
  const isChanged = changedAt != null && Date.parse(time) < Date.parse(changedAt);
  return isChanged ? 'Error of the previous settings. Trying the new ones …' : 'Last error. Trying again …';
}

const plainError = { time: null, httpStatus: null, advice: '', resolved: null, retry: null } as const;

/** Collectors of before kept the advice with the message, and the row keeps what they wrote. */
function withoutAdvice({ message, reason }: LastError): string {
  const advice = adviceFor(reason);
  return advice !== '' && message.endsWith(advice) ? message.slice(0, -advice.length).trimEnd() : message;
}

/** What was written down may be of a try before: that one is over. */
function nextTryOf({ stream }: StreamedConfig, now: number): string | null {
  const at = stream?.nextTryAt ?? null;
  return at !== null && stream?.isHeld && Date.parse(at) > now ? at : null;
}

/** Where nothing is written down: nobody knows when the next try is but the replica that waits for it; how long it waits at most is a setting. */
function describePace(state: StateName, reason: string, pace: Pace | undefined): string {
  if (reason === 'RateLimited')
    return 'The collector tries again when the receiver asks it to, within an hour.';
  if (pace === undefined) return 'The collector tries again by itself.';
  const ms = state === 'holding' ? pace.holdMs : pace.retryMs;
  return `The collector tries again by itself, at least every ${describeDuration(ms)}.`;
}

function describeDuration(ms: number): string {
  const [n, unit] = ms < 60_000 ? [Math.ceil(ms / 1_000), 'second'] : [Math.ceil(ms / 60_000), 'minute'];
  return n === 1 ? unit : `${n} ${unit}s`;
}

function makeFacts(destination: StreamedConfig): FactView[] {
  const { config, stream } = destination;
  const { status } = config;
  const { parked, rejected } = countersOf(destination);
  const delivered = stream?.delivered ?? status?.deliveredEntries;
  const lastDelivery = stream?.lastDeliveryAt ?? status?.lastDeliveryTime ?? null;
  const pending = status?.pendingEntries;
  return [
    fact('Delivered', delivered === undefined ? '–' : formatCount(delivered)),
    fact('Pending', pending === undefined ? '–' : formatCount(pending)),
    status?.oldestPendingTime !== undefined && (pending ?? 0) > 0
      ? { label: 'Oldest pending', value: '', time: status.oldestPendingTime }
      : fact('Oldest pending', '–'),
    lastDelivery === null
      ? fact('Last delivery', 'none yet')
      : { label: 'Last delivery', value: '', time: lastDelivery },
    ...(parked > 0 ? [fact('Parked', formatCount(parked))] : []),
    ...(rejected > 0 ? [fact('Rejected', formatCount(rejected))] : []),
  ];
}

function fact(label: string, value: string): FactView {
  return { label, value, time: null };
}

function makeParked(
  organization: string,
  allUrl: string,
  count: number,
  entries: readonly ParkedView[],
): ParkedListView | null {
  if (count === 0) return null;
  return {
    count: count === 1 ? '1 parked entry' : `${formatCount(count)} parked entries`,
    entries: entries.map((entry) => viewParked(organization, entry)),
    allUrl,
    more: Math.max(0, count - entries.length),
  };
}

/** One parked entry, in a list. */
export function viewParked(organization: string, entry: ParkedView): ParkedEntryView {
  return {
    url: `${makeFrame(organization).auditLogsUrl}/entries/${entry.entryId}`,
    id: entry.entryId,
    number: formatCount(entry.sequence),
    at: entry.parkedAt,
    eventType: entry.eventType,
    why: `${entry.httpStatus === null ? '' : `HTTP ${entry.httpStatus}: `}${entry.message}`,
    isRequested: entry.replayRequested,
  };
}

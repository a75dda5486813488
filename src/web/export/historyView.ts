/** How requests to a destination went, as the drawer shows it: a bar for each of 30 days, sums of a day, the last attempts. */
import type { KeptAttempts } from '../../database/attempts.ts';
import { type Attempt, type HourOfAttempts, latencyQuantile } from '../../model/attempt.ts';
import { formatCount } from '../format/count.ts';
import type { AttemptView, HistoryView } from '../views/historyViews.ts';
import { countOf, makeBars, type RequestSums, sum, sumHours } from './attemptBars.ts';

const days = 30;
const dayMs = 86_400_000;

export function makeHistory(
  { hours, attempts, writtenAt }: KeptAttempts,
  now: Date,
): Omit<HistoryView, 'frame' | 'name' | 'backUrl' | 'completeness' | 'queries'> {
  return {
    ...makeBars(sumDays(hours, now)),
    summary: hours.length === 0 ? [] : describeDay(hours, now),
    attempts: attempts.map(viewAttempt),
    writtenAt,
  };
}

/** The oldest first, by date in UTC; days without a request too. */
function sumDays(
  hours: readonly HourOfAttempts[],
  now: Date,
): Array<RequestSums & { readonly label: string }> {
  const today = now.getTime() - (now.getTime() % dayMs);
  return Array.from({ length: days }, (_, n) => {
    const label = new Date(today - (days - 1 - n) * dayMs).toISOString().slice(0, 10);
    return { label, ...sumHours(hours.filter(({ hour }) => hour.startsWith(label))) };
  });
}

/** The last 24 hours, one sentence each. */
function describeDay(all: readonly HourOfAttempts[], now: Date): string[] {
  const hours = all.filter(({ hour }) => Date.parse(hour) > now.getTime() - dayMs);
  const { requests, accepted } = sumHours(hours);
  if (requests === 0) return ['No request in the last 24 hours.'];
  const rejected = sum(hours.map((hour) => hour.rejected));
  const latency = addUp(hours.map((hour) => hour.latency));
  const reasons = [...new Set(hours.flatMap(({ failures }) => Object.keys(failures)))].map((reason) => ({
    reason,
    times: sum(hours.map(({ failures }) => failures[reason] ?? 0)),
  }));
  const failed = reasons
    .toSorted((a, b) => b.times - a.times)
    .map(({ reason, times }) => `${reason} ${formatCount(times)}`);
  return [
    `Last 24 hours: ${countOf(accepted, 'entry', 'entries')} accepted in ${countOf(requests, 'request', 'requests')}, repeats included.`,
    ...(rejected > 0 ? [`The receiver rejected ${countOf(rejected, 'entry', 'entries')}.`] : []),
    failed.length === 0 ? 'No request failed.' : `Failed requests: ${failed.join(', ')}.`,
    `Half of the requests were answered within ${describeMs(latencyQuantile(latency, 0.5))}, 95 % within ${describeMs(latencyQuantile(latency, 0.95))}.`,
  ];
}

/** A bound; Infinity: none of those that are kept. */
function describeMs(ms: number | null): string {
  if (ms === null || ms === Number.POSITIVE_INFINITY) return 'more than 30 s';
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}

function viewAttempt(attempt: Attempt): AttemptView {
  const { at, records, numbers, durationMs, rejected = 0, reason, httpStatus, message = '' } = attempt;
  const status = httpStatus === undefined ? '' : `HTTP ${httpStatus}`;
  const result = reason ?? (rejected > 0 ? `${formatCount(rejected)} rejected` : 'Accepted');
  return {
    at,
    tone: reason !== undefined ? 'bad' : rejected > 0 ? 'warn' : 'good',
    records: countOf(records, 'entry', 'entries'),
    numbers: describeNumbers(numbers),
    result: [result, status].filter((text) => text !== '').join(', '),
    message,
    duration: `${formatCount(durationMs)} ms`,
  };
}

function describeNumbers([first, last]: readonly number[] = []): string {
  if (first === undefined || last === undefined) return '';
  return first === last
    ? `number ${formatCount(first)}`
    : `numbers ${formatCount(first)} to ${formatCount(last)}`;
}

function addUp(lists: ReadonlyArray<readonly number[]>): number[] {
  const length = Math.max(0, ...lists.map((list) => list.length));
  return Array.from({ length }, (_, n) => sum(lists.map((list) => list[n] ?? 0)));
}

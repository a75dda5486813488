/** Requests to a destination as bars of one drawing: one for each day or hour, and what it came to in words. */
import type { HourOfAttempts } from '../../model/attempt.ts';
import { formatCount } from '../format/count.ts';
import type { BarsView } from '../views/barsViews.ts';

/** Units of the drawing, which is stretched to its place. */
const barWidth = 10;
const height = 100;
/** One of them is seen beside a thousand. */
const leastHeight = 8;

export interface RequestSums {
  readonly requests: number;
  readonly failed: number;
  /** Entries, repeats included. */
  readonly accepted: number;
}

export type CountedHour = Pick<HourOfAttempts, 'hour' | 'accepted' | 'requests' | 'failures'>;

export function sumHours(hours: readonly CountedHour[]): RequestSums {
  return {
    requests: sum(hours.map(({ requests }) => requests)),
    failed: sum(hours.flatMap(({ failures }) => Object.values(failures))),
    accepted: sum(hours.map(({ accepted }) => accepted)),
  };
}

/** Such as `1,204 entries accepted, 3 of 40 requests failed`. */
export function describeSums({ requests, failed, accepted }: RequestSums): string {
  if (requests === 0) return 'no request';
  const all = countOf(requests, 'request', 'requests');
  const taken = `${countOf(accepted, 'entry', 'entries')} accepted`;
  return failed === 0 ? `${taken} in ${all}` : `${taken}, ${formatCount(failed)} of ${all} failed`;
}

/** A bar for each, the oldest first, as high as its share of the highest. */
export function makeBars(spans: ReadonlyArray<RequestSums & { readonly label: string }>): BarsView {
  const most = Math.max(1, ...spans.map(({ requests }) => requests));
  const scaled = (count: number): number =>
    count === 0 ? 0 : Math.max(leastHeight, Math.round((count / most) * height));
  return {
    width: spans.length * barWidth,
    height,
    bars: spans.map(({ label, ...sums }, n) => ({
      ...{ label, words: describeSums(sums), x: n * barWidth },
      all: scaled(sums.requests),
      failed: scaled(sums.failed),
    })),
  };
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** Such as `1 entry` or `1,204 entries`. */
export function countOf(n: number, one: string, many: string): string {
  return `${formatCount(n)} ${n === 1 ? one : many}`;
}

/** Makes what the histogram shows: bars with their links, and what they say. */
import type { Bar, Histogram } from '../../search/histogram.ts';
import { formatCount, formatEntries } from '../format/count.ts';
import { overviewUrl } from '../list/facets.ts';
import { toSearch } from '../list/filters.ts';
import type { Filters } from '../list/filterTable.ts';
import { describeTime } from '../list/timeRange.ts';
import { logsUrl } from '../urls.ts';
import type { BarView, HistogramView } from '../views/histogramViews.ts';

/** What stands in the page until the browser has asked for the counts. */
export function makePlace(filters: Filters, organization: string): HistogramView {
  return {
    kind: 'place',
    url: logsUrl(organization, toSearch(filters), '/histogram'),
    overviewUrl: overviewUrl(organization, filters),
  };
}

/** Units of the drawing, which is stretched to its place. */
const barWidth = 10;
const height = 100;
/** One entry is seen beside a thousand. */
const leastHeight = 4;

export function makeHistogramView(
  histogram: Histogram,
  filters: Filters,
  organization: string,
): HistogramView {
  const { bars, total, isComplete } = histogram;
  const status = `${isComplete ? '' : '≥ '}${formatEntries(total)}`;
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined || (total === 0 && isComplete))
    return { kind: 'empty', status: formatEntries(0) };
  const most = Math.max(1, ...bars.map(({ count }) => count));
  return {
    kind: 'bars',
    status: total === 0 ? null : status,
    notes: describeNotes(histogram),
    step: describeStep(bars),
    from: first.low,
    to: last.high,
    width: bars.length * barWidth,
    height,
    bars: bars.map((bar, n) => makeBar(bar, n, most, filters, organization)),
  };
}

function makeBar(bar: Bar, n: number, most: number, filters: Filters, organization: string): BarView {
  const time = { from: toAddress(bar.low), to: toAddress(bar.high) };
  const scaled = bar.count === 0 ? 0 : Math.max(leastHeight, Math.round((bar.count / most) * height));
  return {
    url: logsUrl(organization, toSearch({ ...filters, time })),
    ...time,
    words: describeBar(bar),
    when: describeTime(time),
    isCounted: bar.isCounted,
    x: n * barWidth,
    y: height - scaled,
    height: scaled,
  };
}

function describeBar({ count, isCounted }: Bar): string {
  if (isCounted) return formatEntries(count);
  return count === 0 ? 'Not counted' : `≥ ${formatEntries(count)}`;
}

/** Without seconds and decimals that are zero. */
function toAddress(at: string): string {
  const [seconds = '', decimals = ''] = at.replace('Z', '').split('.');
  const fine = decimals.replace(/0+$/, '');
  if (fine !== '') return `${seconds}.${fine}`;
  return seconds.endsWith(':00') ? seconds.slice(0, 16) : seconds;
}

function describeNotes({ bars, later, isComplete }: Histogram): string[] {
  const notes: string[] = [];
  if (!isComplete) {
    const counted = bars.findIndex(({ isCounted }) => isCounted);
    const from = bars[counted]?.low;
    notes.push(
      from === undefined
        ? 'The time for counting was up: the bars show at least what is there. Choose a shorter range.'
        : `Counted back to ${toAddress(from).replace('T', ' ')} UTC; earlier bars show at least what is there. Choose a shorter range to count all of it.`,
    );
  }
  if (later > 0)
    notes.push(`${formatCount(later)} dated later, in the future, ${later === 1 ? 'is' : 'are'} not drawn.`);
  return notes;
}

const units: ReadonlyArray<readonly [ms: number, name: string]> = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** Says how long a bar in the middle is. */
function describeStep(bars: readonly Bar[]): string {
  const bar = bars[1] ?? bars[0];
  const ms = bar && bars.length > 2 ? Date.parse(bar.high) - Date.parse(bar.low) : 0;
  const [unit, name] = units.find(([each]) => ms >= each && ms % each === 0) ?? [1, ''];
  return name === '' ? '' : `${ms / unit} ${name}${ms === unit ? '' : 's'}`;
}

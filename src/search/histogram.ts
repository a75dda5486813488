/** Counts the matches of a query in bars of time, for as long as its time lasts. */
import type { EntryQuery } from '../database/entryQuery.ts';
import { hasNul } from '../database/entryQuery.ts';
import type { Database } from '../database/pool.ts';
import { prepareQuery } from '../database/searchEntries.ts';
import { spareRead } from '../database/shares.ts';
import { byEdges, readTimeBounds, type Slice, together } from '../database/tally.ts';
import { type Coverage, tallyEntries } from './tally.ts';

export interface Bar extends Slice {
  readonly count: number;
  /** False: at least `count`, because the time was up. */
  readonly isCounted: boolean;
}

export interface Histogram {
  /** Without gaps, oldest first; empty: the organization has no entry in the range. */
  readonly bars: readonly Bar[];
  /** All matches, those dated after the last bar too. */
  readonly total: number;
  readonly later: number;
  /** False: `total` is what was counted before the time was up. */
  readonly isComplete: boolean;
}

export interface HistogramOptions {
  /** Where an open range ends: entries dated later, in the future, have no bar. */
  readonly now: Date;
  /** Default 400. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

/** For what is read by an index before the counting. */
export const preparingMs = 10_000;
/** A person's clock may be ahead. */
const aheadMs = 5 * 60_000;
/** Bars are counted in parts, so that a bar with most of the entries does not take all the time and then count for nothing. */
const partsPerBar = 4;

/** @throws the signal's reason, or the database's error except for the time limit. */
export async function readHistogram(
  db: Database,
  query: EntryQuery,
  { now, budgetMs = 400, signal }: HistogramOptions,
): Promise<Histogram> {
  if (hasNul(query)) return nothing;
  return await spareRead(
    db,
    query.organization,
    preparingMs,
    async (reader) => {
      const prepared = await prepareQuery(reader, query);
      const bounds = await readTimeBounds(reader, prepared);
      if (!bounds) return nothing;
      const { range } = prepared;
      const ahead = withMicroseconds(now.getTime() + aheadMs);
      const low = query.from === null ? bounds.oldest : range.low.occurredAt;
      const end =
        query.to === null
          ? earlier(afterMoment(bounds.newest), later(ahead, afterMoment(low)))
          : range.high.occurredAt;
      const edges = makeEdges(low, end);
      const { parts, barOf } = makeParts(edges, end < range.high.occurredAt ? range.high.occurredAt : null);
      const counts = new Array<number>(edges.length).fill(0);
      const coverage = await tallyEntries(reader, prepared, {
        by: byEdges(edges),
        bySlice: together,
        slices: parts,
        onCount: ({ slice, value, count }) => {
          const bar = slice === null ? Number(value) - 1 : (barOf[slice] ?? 0);
          counts[bar] = (counts[bar] ?? 0) + count;
        },
        budgetMs,
        signal,
      });
      const isCounted = (bar: number): boolean => isCovered(coverage, edges[bar] ?? '', bar, barOf);
      return {
        bars: edges.slice(0, -1).map((from, bar) => ({
          low: from,
          high: edges[bar + 1] ?? end,
          count: counts[bar] ?? 0,
          isCounted: isCounted(bar),
        })),
        total: counts.reduce((sum, count) => sum + count, 0),
        later: counts.at(-1) ?? 0,
        isComplete: coverage.kind === 'all',
      };
    },
    signal,
  );
}

const nothing: Histogram = { bars: [], total: 0, later: 0, isComplete: true };

function isCovered(coverage: Coverage, low: string, bar: number, barOf: readonly number[]): boolean {
  switch (coverage.kind) {
    case 'all':
      return true;
    case 'newest':
      return coverage.backTo !== null && low > coverage.backTo;
    case 'slices':
      return barOf.every((each, part) => each !== bar || coverage.counted.has(part));
  }
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Lengths of a bar, in milliseconds. */
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * second),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * minute),
  ...[1, 2, 3, 6, 12].map((n) => n * hour),
  ...[1, 2, 7, 14, 28, 91, 182, 364, 1_820].map((n) => n * day),
];
/** A little more than 60: relative ranges end a few minutes past the whole hour or day. */
const mostBars = 66;

/** Where bars begin, and where the last one ends: whole seconds, minutes, hours or days of UTC, except at both ends. */
export function makeEdges(low: string, high: string): string[] {
  const [from, to] = [Date.parse(low), Date.parse(high)];
  const step = steps.find((each) => (to - from) / each <= mostBars) ?? 3_640 * day;
  const edges = [low];
  for (let at = (Math.floor(from / step) + 1) * step; at < to; at += step) edges.push(withMicroseconds(at));
  return [...edges, high];
}

/** Parts of all bars, newest first, and what comes after them up to `after`; `barOf` says which bar a part belongs to. */
function makeParts(edges: readonly string[], after: string | null): { parts: Slice[]; barOf: number[] } {
  const parts: Slice[] = [];
  const barOf: number[] = [];
  const add = (bar: number, low: string, high: string): void => {
    parts.push({ low, high });
    barOf.push(bar);
  };
  const last = edges.at(-1) ?? '';
  if (after !== null) add(edges.length - 1, last, after);
  for (let bar = edges.length - 2; bar >= 0; bar--) {
    const cuts = cut(edges[bar] ?? '', edges[bar + 1] ?? '', partsPerBar);
    for (let part = cuts.length - 2; part >= 0; part--) add(bar, cuts[part] ?? '', cuts[part + 1] ?? '');
  }
  return { parts, barOf };
}

/** The moments that cut a stretch of time into `count` of about the same length, with both ends. */
export function cut(low: string, high: string, count: number): string[] {
  const [from, to] = [Date.parse(low), Date.parse(high)];
  const between = Array.from({ length: count - 1 }, (_, n) =>
    withMicroseconds(Math.floor(from + ((to - from) * (n + 1)) / count)),
  );
  return [low, ...between.filter((at) => at > low && at < high), high].filter(
    (at, n, all) => at !== all[n - 1],
  );
}

/** As Postgres gives a moment here: fixed width, so that its text sorts as its time. */
function withMicroseconds(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

function afterMoment(at: string): string {
  return withMicroseconds(Date.parse(at) + 1);
}

const earlier = (a: string, b: string): string => (a < b ? a : b);
const later = (a: string, b: string): string => (a > b ? a : b);

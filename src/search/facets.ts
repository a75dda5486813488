/**
 * Counts the values that a list can be filtered by: of the entries of its range that match its other filters.
 *
 * Where counting all of them would take too long, it counts in slices of time that are spread over the range: a sample, which says so.
 */
import { type EntryQuery, hasNul, noConditions } from '../database/entryQuery.ts';
import type { Database } from '../database/pool.ts';
import { prepareQuery } from '../database/searchEntries.ts';
import { spareRead } from '../database/shares.ts';
import { type Choice, choices, readTimeBounds } from '../database/tally.ts';
import { cut, preparingMs } from './histogram.ts';
import { type Coverage, tallyEntries } from './tally.ts';

export interface FacetValue {
  /** null: entries without one. */
  readonly value: string | null;
  /** A person's name for it; null: there is none. */
  readonly label: string | null;
  /** At least so many, unless all was counted. */
  readonly count: number;
}

export interface Facet {
  /** The most frequent first, `mostOffered` at most. */
  readonly values: readonly FacetValue[];
  /** There are more values than are offered. */
  readonly isCut: boolean;
  /** How much of the range was counted. */
  readonly counted:
    | { readonly kind: 'all' }
    | { readonly kind: 'newest'; readonly backTo: string | null }
    | { readonly kind: 'sample'; readonly share: number };
}

export interface FacetOptions {
  /** Default 400. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

const mostOffered = 300;
/** A power of two. */
const sliceCount = 64;

/** Which filters a choice sets: its values are counted as if those let everything through. */
const filtersOf = {
  type: ['eventTypes', 'notEventTypes'],
  actor: ['actors', 'notActors'],
  project: ['projects', 'notProjects'],
  session: ['sessionTypes', 'notSessionTypes'],
} as const satisfies Readonly<Record<Choice, ReadonlyArray<keyof EntryQuery>>>;

/** @throws the signal's reason, or the database's error except for the time limit. */
export async function readFacet(
  db: Database,
  asked: EntryQuery,
  choice: Choice,
  { budgetMs = 400, signal }: FacetOptions = {},
): Promise<Facet> {
  const query = {
    ...asked,
    ...Object.fromEntries(filtersOf[choice].map((name) => [name, noConditions[name]])),
  };
  if (hasNul(query)) return { values: [], isCut: false, counted: { kind: 'all' } };
  return await spareRead(
    db,
    query.organization,
    preparingMs,
    async (reader) => {
      const prepared = await prepareQuery(reader, query);
      const bounds = await readTimeBounds(reader, prepared);
      if (!bounds) return { values: [], isCut: false, counted: { kind: 'all' } };
      const slices = spread(toSlices(bounds.oldest, bounds.newest, prepared.range.high.occurredAt));
      const found = new Map<string | null, FacetValue>();
      const coverage = await tallyEntries(reader, prepared, {
        by: choices[choice],
        slices,
        onCount: ({ value, label, count }) => {
          const known = found.get(value);
          found.set(value, {
            value,
            label: label ?? known?.label ?? null,
            count: count + (known?.count ?? 0),
          });
        },
        budgetMs,
        signal,
      });
      const values = [...found.values()].sort((a, b) => b.count - a.count || compare(a.value, b.value));
      const isCut = values.length > mostOffered;
      return { values: values.slice(0, mostOffered), isCut, counted: describe(coverage, slices.length) };
    },
    signal,
  );
}

function compare(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : 1;
}

function describe(coverage: Coverage, slices: number): Facet['counted'] {
  return coverage.kind === 'slices' ? { kind: 'sample', share: coverage.counted.size / slices } : coverage;
}

/** Stretches of the same length from the oldest entry to the newest; the last one goes on to `high`. */
function toSlices(oldest: string, newest: string, high: string) {
  if (oldest === newest) return [{ low: oldest, high }];
  const edges = cut(oldest, newest, sliceCount);
  return edges
    .slice(0, -1)
    .map((low, n) => ({ low, high: n === edges.length - 2 ? high : (edges[n + 1] ?? high) }));
}

/** In an order of which any beginning is spread evenly: by the bits of the place, reversed. */
function spread<T>(all: readonly T[]): T[] {
  const bits = Math.ceil(Math.log2(sliceCount));
  const reversed = (n: number): number =>
    Number.parseInt(n.toString(2).padStart(bits, '0').split('').reverse().join(''), 2);
  return all
    .map((each, n) => ({ each, at: reversed(n) }))
    .sort((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

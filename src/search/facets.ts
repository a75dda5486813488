/**
 * Knows which projects, session types and actors an organization has, over all of its entries.
 *
 *   newest entries → down to what is known already → on where the last read stopped, towards the oldest
 *
 * No index leads from one such value to the next, so all entries are read once, a few columns of each: 150,000 take 0.3 s, a million 1.5 s. A read
 * ends with its budget, and the next one continues; `isComplete` says whether the oldest entry has been reached. What is known is kept in
 * memory, and read again after a while for the sake of entries that were committed late.
 */
import { boundedRead, isTimeout, type Reader } from '../database/boundedRead.ts';
import { type Cursor, compareCursors } from '../database/cursor.ts';
import { type Actor, type Counted, type FacetSlice, readFacetSlice } from '../database/facets.ts';
import type { Database } from '../database/pool.ts';

export interface Facets {
  readonly projects: readonly string[];
  readonly sessionTypes: readonly string[];
  /** By name. */
  readonly actors: readonly Actor[];
  /** False: older entries may hold more. */
  readonly isComplete: boolean;
}

export interface FacetOptions {
  /** How long a read may take, give or take a statement. Default 800. */
  readonly budgetMs?: number;
  /** For tests; default 20,000. */
  readonly sliceRows?: number;
}

/** The most frequent known values of each kind. */
const mostOffered = 500;
const mostKept = 5_000;
const mostOrganizations = 200;
/** So that entries that commit late, dated back, are missed for no longer. */
const keptMs = 10 * 60_000;

const known = new WeakMap<Database, Map<string, KnownFacets>>();

export function readFacets(db: Database, organization: string, options: FacetOptions = {}): Promise<Facets> {
  const all = known.get(db) ?? new Map<string, KnownFacets>();
  known.set(db, all);
  const facets = all.get(organization) ?? new KnownFacets();
  // The one asked for last stands last.
  all.delete(organization);
  all.set(organization, facets);
  const [oldest] = all.keys();
  if (all.size > mostOrganizations && oldest !== undefined) all.delete(oldest);
  return facets.read(db, organization, options);
}

class KnownFacets {
  readonly #projects = new Tally<string>();
  readonly #sessionTypes = new Tally<string>();
  readonly #actors = new Tally<Actor>();
  /** Everything from `low` to `high` has been read; null: nothing. */
  #read: { low: Cursor; high: Cursor; readonly since: number } | null = null;
  #isComplete = false;
  #running: Promise<void> | null = null;

  /** Several who ask at once share one read. */
  async read(db: Database, organization: string, options: FacetOptions): Promise<Facets> {
    this.#running ??= this.#goOn(db, organization, options).finally(() => {
      this.#running = null;
    });
    await this.#running;
    const name = ({ id, name }: Actor): string => name ?? id ?? '';
    return {
      projects: this.#projects.list().sort(),
      sessionTypes: this.#sessionTypes.list().sort(),
      actors: this.#actors.list().sort((a, b) => (name(a) < name(b) ? -1 : 1)),
      isComplete:
        this.#isComplete && [this.#projects, this.#sessionTypes, this.#actors].every((all) => !all.isCut),
    };
  }

  async #goOn(
    db: Database,
    organization: string,
    { budgetMs = 800, sliceRows = 20_000 }: FacetOptions,
  ): Promise<void> {
    const endsAt = performance.now() + budgetMs;
    if (this.#read && performance.now() - this.#read.since > keptMs) this.#read = null;
    try {
      await boundedRead(db, budgetMs, async (reader) => {
        const slices = { reader, organization, rows: sliceRows, endsAt };
        await this.#readNewer(slices);
        await this.#readOlder(slices);
      });
    } catch (error) {
      if (!isTimeout(error)) throw error;
    }
  }

  /** From the newest entry down to those that are known; where that takes too long, what was known counts as unread. */
  async #readNewer(slices: Slices): Promise<void> {
    const high = this.#read?.high ?? null;
    let newest: Cursor | null = null;
    let before: Cursor | null = null;
    // The first slice is small: a page of an organization that is all known already should not wait.
    for (let rows = 1_000; ; rows = slices.rows) {
      const slice = await readSlice({ ...slices, rows: Math.min(rows, slices.rows) }, before, high);
      if (slice?.oldest) {
        this.#add(slice);
        newest ??= slice.newest;
        before = slice.oldest;
        if (high === null) break;
      } else {
        if (this.#read && newest) this.#read.high = newest;
        if (slice === null && newest && before) this.#startAt(newest, before);
        if (high === null && slice !== null) this.#isComplete = true;
        return;
      }
    }
    if (newest && before) this.#startAt(newest, before);
  }

  #startAt(high: Cursor, low: Cursor): void {
    this.#read = { low, high, since: performance.now() };
    this.#isComplete = false;
  }

  async #readOlder(slices: Slices): Promise<void> {
    while (this.#read && !this.#isComplete) {
      const slice = await readSlice(slices, this.#read.low, null);
      if (slice === null) return;
      this.#add(slice);
      if (slice.oldest && compareCursors(slice.oldest, this.#read.low) < 0) this.#read.low = slice.oldest;
      else this.#isComplete = true;
    }
  }

  #add({ projects, sessionTypes, actors }: FacetSlice): void {
    this.#projects.add(projects);
    this.#sessionTypes.add(sessionTypes);
    this.#actors.add(actors);
  }
}

interface Slices {
  readonly reader: Reader;
  readonly organization: string;
  readonly rows: number;
  readonly endsAt: number;
}

/** Null: the time is up. */
async function readSlice(
  { reader, organization, rows, endsAt }: Slices,
  before: Cursor | null,
  downTo: Cursor | null,
): Promise<FacetSlice | null> {
  const leftMs = endsAt - performance.now();
  if (leftMs <= 0) return null;
  await reader.setTimeout(leftMs);
  return readFacetSlice(reader, organization, { before, downTo, rows });
}

/** How often each value was met. */
class Tally<T> {
  readonly #counts = new Map<string, { readonly value: T; count: number }>();
  /** More values than are offered. */
  isCut = false;

  add(values: readonly Counted<T>[]): void {
    for (const { value, count } of values) {
      const key = JSON.stringify(value);
      const kept = this.#counts.get(key);
      if (kept) kept.count += count;
      else this.#counts.set(key, { value, count });
    }
    this.isCut ||= this.#counts.size > mostOffered;
    if (this.#counts.size > mostKept)
      for (const { value } of this.#sorted().slice(mostKept / 2)) this.#counts.delete(JSON.stringify(value));
  }

  list(): T[] {
    return this.#sorted()
      .slice(0, mostOffered)
      .map(({ value }) => value);
  }

  #sorted(): ReadonlyArray<{ readonly value: T; readonly count: number }> {
    return [...this.#counts.values()].sort((a, b) => b.count - a.count);
  }
}

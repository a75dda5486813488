/**
 * The Audit Logs page over ten million entries: how long its queries and searches take, called as the page calls them, and its
 * whole pages over HTTP (pageHttp.ts).
 */
import type { Cursor } from '../src/database/cursor.ts';
import { readShownEntry } from '../src/database/entries.ts';
import { type EntryQuery, noConditions } from '../src/database/entryQuery.ts';
import { type Database, makePool } from '../src/database/pool.ts';
import { Secret } from '../src/model/secret.ts';
import { readFacet } from '../src/search/facets.ts';
import { findEntries } from '../src/search/findEntries.ts';
import { readHistogram } from '../src/search/histogram.ts';
import { indexAll } from '../src/search/indexer.ts';
import type { Found } from '../src/search/matches.ts';
import { firstAnswerMs } from '../src/web/list/readList.ts';
import { measureHttp } from './pageHttp.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { type Figure, percentile, whole } from './tools/figure.ts';
import { bigOrganization, loadPageEntries, terms } from './tools/pageEntries.ts';
import { measure, spreadOf } from './tools/spread.ts';

/** What is measured. */
interface Target {
  find(query: EntryQuery, cursor: Cursor | null): Promise<Found>;
  open(id: string): Promise<unknown>;
}

const pageLimit = 50;
const defaultEntries = 10_000_000;

export async function benchPage(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 20_000 : (bench.pageEntries ?? defaultEntries);
  const runs = bench.quick ? 3 : 40;
  const databaseUrl = await bench.createDatabase('bench_page');
  await withClient(databaseUrl, (client) => loadPageEntries(client, count, bench.log));
  const db = makePool({ url: () => new Secret(databaseUrl), size: 3, onIdleError: () => {} });
  try {
    const startedAt = performance.now();
    const indexed = await indexAll(db, { share: 1 });
    const rate = indexed / ((performance.now() - startedAt) / 1000);
    await db.query('vacuum (analyze) audit.search_blocks');
    const indexing: Figure = {
      figure: 'search: entries/s put into blocks afterwards, at full speed',
      ratio: rate,
      goal: '≥ 20000',
      detail: `${whole(indexed)} entries of ${whole(count)}; a collector takes a quarter of the time for it; ${await describeSizes(db)}`,
    };
    bench.log(indexing.detail);
    const target: Target = {
      find: (query, cursor) =>
        findEntries(db, query, cursor, {
          limit: pageLimit,
          ...(cursor === null && { budgetMs: firstAnswerMs }),
        }),
      open: (id) => readShownEntry(db, bigOrganization, id, 65_536),
    };
    const places = await samplePlaces(db, count, runs);
    return [
      indexing,
      ...(await measurePages(bench, target, places)),
      ...(await measureHttp(bench, db, places)),
      ...(await measureCounts(bench, db, runs)),
      ...(await measureSearches(bench, target, places)),
    ];
  } finally {
    await db.end();
  }
}

interface Place extends Cursor {
  readonly requestId: string;
}

/** Entries of the big organization, evenly distributed over its time. */
async function samplePlaces(db: Database, count: number, runs: number): Promise<Place[]> {
  const { rows } = await db.query<Place>(
    `select e.id::text, to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "occurredAt", e.metadata ->> 'requestId' as "requestId"
     from generate_series(1, $1::int) i cross join lateral (
       select * from audit.entries where organization = $2 and occurred_at >= '2025-01-01 00:00:00+00'::timestamptz + i * $3 / ($1 + 1) * interval '2 seconds'
       order by occurred_at, id limit 1) e order by md5(i::text)`,
    [runs, bigOrganization, count],
  );
  return rows;
}

async function describeSizes(db: Database): Promise<string> {
  const { rows } = await db.query<{ data: string; blocks: string; time: string; type: string }>(
    `select pg_size_pretty(pg_table_size('audit.entries')) as data, pg_size_pretty(pg_total_relation_size('audit.search_blocks')) as blocks,
       pg_size_pretty(pg_relation_size('audit.entries_by_time')) as time, pg_size_pretty(pg_relation_size('audit.entries_by_type')) as type`,
  );
  const [size] = rows;
  return `${size?.blocks} beside ${size?.data} of entries (by time ${size?.time}, by type ${size?.type})`;
}

const plain: EntryQuery = { ...noConditions, organization: bigOrganization, from: null, to: null };

async function measurePages(bench: Bench, target: Target, places: readonly Place[]): Promise<Figure[]> {
  const runs = places.length;
  const page = (name: string, ask: (place: Place) => Promise<unknown>) => {
    bench.log(name);
    return measure(`page: ${name}`, '≤ 50 ms p95', runs, (i) => ask(places[i % runs] as Place));
  };
  return [
    await page('first page', () => target.find(plain, null)),
    await page('next page, anywhere', (place) => target.find(plain, place)),
    await page('frequent event type', () =>
      target.find({ ...plain, eventTypes: [terms.frequentType] }, null),
    ),
    await page('rare event type', () => target.find({ ...plain, eventTypes: [terms.rareType] }, null)),
    await page('three event types, anywhere', (place) =>
      target.find({ ...plain, eventTypes: [terms.frequentType, terms.rareType, 'role.run'] }, place),
    ),
    await page('an entry by its link', (place) => target.open(place.id)),
  ];
}

/** What comes after the list: cut off, and saying so, where it would take longer. */
async function measureCounts(bench: Bench, db: Database, runs: number): Promise<Figure[]> {
  const asked: Array<[name: string, query: Partial<EntryQuery>]> = [
    ['all', {}],
    ['one event type', { eventTypes: [terms.frequentType] }],
    ['without an event type', { notEventTypes: [terms.frequentType] }],
    ['an actor', { actors: ['u-100'] }],
    ['a project', { projects: ['project-6'] }],
    ['a frequent word', { text: terms.frequent }],
    ['a rare word', { text: terms.rare }],
  ];
  const figures: Figure[] = [];
  for (const [name, some] of asked) {
    bench.log(`counts: ${name}`);
    const query = { ...plain, ...some };
    const now = new Date();
    figures.push(
      await measure(`page: histogram of ${name}`, '≤ 450 ms p95', runs, () =>
        readHistogram(db, query, { now }),
      ),
      await measure(`page: actors of ${name}, counted`, '≤ 450 ms p95', runs, () =>
        readFacet(db, query, 'actor'),
      ),
    );
  }
  return figures;
}

async function measureSearches(bench: Bench, target: Target, places: readonly Place[]): Promise<Figure[]> {
  const searches: Array<[name: string, query: (place: Place, i: number) => Partial<EntryQuery>]> = [
    ['frequent', () => ({ text: terms.frequent })],
    ['rare', () => ({ text: terms.rare })],
    ['absent', (place) => ({ text: `no-${place.requestId.slice(0, 13)}` })],
    ['frequent only long ago', () => ({ text: terms.longAgo })],
    ['a request id', (place) => ({ text: place.requestId })],
    ['eight digits of one', (place) => ({ text: place.requestId.slice(0, 8) })],
    ['four letters, absent', (_, i) => ({ text: `q${String.fromCharCode(97 + (i % 26))}zx` })],
    ['six digits of one', (place) => ({ text: place.requestId.slice(0, 6) })],
    ['three letters, absent', (_, i) => ({ text: `q${String.fromCharCode(97 + (i % 26))}z` })],
    ['two letters, absent', () => ({ text: 'qz' })],
    ['an actor', (_, i) => ({ actors: [`u-${(i * 100) % 4_000}`] })],
    [
      'metadata that contains a document',
      (place) => ({ has: [JSON.stringify({ requestId: place.requestId })] }),
    ],
  ];
  const figures: Figure[] = [];
  for (const [name, queryOf] of searches) {
    bench.log(`search: ${name}`);
    const first: number[] = [];
    const final: number[] = [];
    let found = 0;
    let unfinished = 0;
    for (const [i, place] of places.entries()) {
      const query = { ...plain, ...queryOf(place, i) };
      const startedAt = performance.now();
      let page = await target.find(query, null);
      first.push(performance.now() - startedAt);
      let entries = page.entries.length;
      // Continues to the first page or the end, like a user who keeps pressing "continue"; at most a minute.
      while (page.searchedBackTo !== null && entries < pageLimit && performance.now() - startedAt < 60_000) {
        page = await target.find(query, page.next);
        entries += page.entries.length;
      }
      if (page.searchedBackTo !== null && entries < pageLimit) unfinished++;
      final.push(performance.now() - startedAt);
      found += entries;
      if (performance.now() - startedAt > 10_000 && i >= 2) break;
    }
    figures.push({
      figure: `search: ${name}, a result or an honest continue, p95`,
      ratio: percentile(
        first.toSorted((a, b) => a - b),
        0.95,
      ),
      goal: '≤ 500 ms',
      detail: `first answer ${spreadOf(first)}; final answer ${spreadOf(final)}${unfinished > 0 ? ` (${unfinished} not done after a minute)` : ''}; ${(found / first.length).toFixed(1)} entries each, ${first.length} searches`,
    });
  }
  return figures;
}

/**
 * A search against the plain truth: everything that SQL finds by reading all entries, in the same order, whatever has been
 * indexed, committed late or dated back, from whichever place, with whichever budget.
 */
import { expect, onTestFinished, test } from 'vitest';
import { type Cursor, maxEntryId } from '../../src/database/cursor.ts';
import type { Conditions } from '../../src/database/entryFilters.ts';
import type { EntryQuery } from '../../src/database/entryQuery.ts';
import type { Database } from '../../src/database/pool.ts';
import { findEntries } from '../../src/search/findEntries.ts';
import { readHistogram } from '../../src/search/histogram.ts';
import { indexAll } from '../../src/search/indexer.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { queryOf, type TestEntry, writeEntries } from './entries.ts';
import { makeBlocksFormer } from './formerBlocks.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const words = [
  'ada',
  'Zoë',
  'GRÜSSE',
  '日本語テスト',
  '😀😀',
  'billing/x',
  '10.2.3.4',
  'x',
  'a"b',
  'C:\\d',
  'flowId',
  'Ω≈ç',
  'rare-7f3c',
];
const organizations = ['acme', 'other', 'Zürich'];
const types = ['flow.created', 'flow.deleted', 'user.login', 'ÄRGER'];
const actors = ['u-1', 'u-22', 'Ada Lovelace', null];
const projects = ['web', 'api', null];
const sessions = ['user', 'api_key'];

interface Chance {
  readonly random: () => number;
  readonly pick: <T>(list: readonly T[]) => T;
  /** Written so far. */
  readonly entries: number;
}

interface Truth<T> {
  /** How many of the queries have the filter. */
  readonly share: number;
  readonly make: (chance: Chance) => T;
  /** Plain SQL, true for every entry where the filter asks for nothing; `add` binds a value. */
  readonly holds: (value: T, add: (value: unknown) => string) => string;
}

const anyOf = (column: string) => (values: readonly string[], add: (value: unknown) => string) => {
  const list = add(values);
  return `cardinality(${list}::text[]) = 0 or ${column} = any (${list})`;
};

/** What each searched text was made of. */
const meant = new Map<string, ReadonlyArray<{ readonly piece: string; readonly isExcluded: boolean }>>();

/** A piece of a word, or of two that stand next to each other in an actor's name or a value. */
function makePiece({ random, pick, entries }: Chance): string {
  if (random() < 0.15) return pick(['ada lovelace', 'Lovelace\nuser', '", "', 'A L']);
  const word = random() < 0.4 ? `entry-${Math.floor(random() * entries)}` : pick(words);
  const cut = Math.floor(random() * 3);
  return random() < 0.5 ? word.toLowerCase() : [...word].slice(0, [...word].length - cut).join('') || word;
}

const holdsPiece = (text: string, add: (value: unknown) => string): string =>
  `strpos(audit.fold(concat_ws(e'\\n', event_type, coalesce(actor_id, ''), coalesce(actor_name, ''), session_type, coalesce(project, ''), metadata)), audit.fold(${add(text)})) > 0
     or strpos(audit.fold(metadata::text), audit.fold(${add(JSON.stringify(text).slice(1, -1))})) > 0`;
const noneOf = (column: string) => (values: readonly string[], add: (value: unknown) => string) =>
  `${column} <> all (${add(values)}::text[])`;

/** What each filter means, without a look at how it is done. */
const truths: { readonly [Name in keyof Conditions]: Truth<Conditions[Name]> } = {
  text: {
    share: 0.6,
    make: (chance) => {
      const { random } = chance;
      const terms = Array.from({ length: random() < 0.5 ? 1 : 2 + Math.floor(random() * 2) }, () => ({
        piece: makePiece(chance),
        isExcluded: random() < 0.2,
        isQuoted: random() < 0.3,
      }));
      const typed = terms
        .map(({ piece, isExcluded, isQuoted }) => {
          // In a phrase a backslash at the end would stand before a quote.
          const needsQuotes = (isQuoted && !piece.endsWith('\\')) || /\s/.test(piece);
          return `${isExcluded ? '-' : ''}${needsQuotes ? `"${piece.replaceAll('"', '\\"')}"` : piece}`;
        })
        .join(random() < 0.5 ? ' ' : '  ');
      meant.set(typed, terms);
      return typed;
    },
    holds: (text, add) =>
      (meant.get(text) ?? [])
        .map(({ piece, isExcluded }) => `${isExcluded ? 'not' : ''} (${holdsPiece(piece, add)})`)
        .join(' and ') || 'true',
  },
  eventTypes: {
    share: 0.25,
    make: ({ pick }) => [pick(types), pick([...types, 'rare.type', 'nobody'])],
    holds: anyOf('event_type'),
  },
  notEventTypes: { share: 0.15, make: ({ pick }) => [pick(types)], holds: noneOf('event_type') },
  actors: {
    share: 0.2,
    make: ({ pick }) => [pick(actors) ?? 'nobody', pick(actors) ?? 'nobody'],
    holds: (names, add) => {
      const list = add(names);
      return `cardinality(${list}::text[]) = 0 or coalesce(actor_id, '') = any (${list}) or coalesce(actor_name, '') = any (${list})`;
    },
  },
  notActors: {
    share: 0.1,
    make: ({ pick }) => [pick(actors) ?? 'nobody'],
    holds: (names, add) => {
      const list = add(names);
      return `coalesce(actor_id, '') <> all (${list}::text[]) and coalesce(actor_name, '') <> all (${list}::text[])`;
    },
  },
  projects: {
    share: 0.2,
    make: ({ pick }) => [pick(projects)],
    holds: (names, add) => {
      const list = add(names.map((name) => name ?? ''));
      return `cardinality(${list}::text[]) = 0 or coalesce(project, '') = any (${list})`;
    },
  },
  notProjects: {
    share: 0.1,
    make: ({ pick }) => [pick(projects)],
    holds: (names, add) => `coalesce(project, '') <> all (${add(names.map((name) => name ?? ''))}::text[])`,
  },
  undelivered: {
    share: 0.1,
    make: ({ pick }) => [pick(['test/none', 'test/half', 'nobody'])],
    holds: (keys, add) => {
      const list = add(keys);
      return `cardinality(${list}::text[]) = 0 or organization = 'acme' and (
        'test/none' = any (${list}) or 'test/half' = any (${list}) and id % 3 = 0)`;
    },
  },
  notSessionTypes: { share: 0.1, make: ({ pick }) => [pick(sessions)], holds: noneOf('session_type') },
  sessionTypes: { share: 0.1, make: ({ pick }) => [pick(sessions)], holds: anyOf('session_type') },
  has: {
    share: 0.2,
    make: ({ random, pick }) => [JSON.stringify({ [pick(words)]: random() < 0.5 ? pick(words) : [] })],
    holds: (documents, add) => `metadata @> all (${add(documents)}::jsonb[])`,
  },
};

for (const seed of [1, 2, 3]) {
  test(`finds what plain SQL finds (seed ${seed})`, { timeout: 120_000 }, async () => {
    const random = makeRandom(seed);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const url = await postgres.createDatabase();
    const db = openDatabase(url, 4);
    // One stream has delivered nothing, the other all but every third entry, which is parked.
    await db.query(
      `with streams as (
         insert into audit.streams (config_key, organization, cluster, settled, other_clusters)
         values ('test/none', 'acme', audit.cluster_id(), '1:1:', '{}'),
           ('test/half', 'acme', audit.cluster_id(), '1000000000:1000000000:', '{"42": "1000000000:1000000000:"}')
         returning id, config_key)
       insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message)
       select id, n, n * 3, now(), 'Refused', '' from streams, generate_series(1, 2000) n where config_key = 'test/half'`,
    );
    onTestFinished(() => db.end());
    let entries = 0;
    let clock = Date.parse('2026-03-01T00:00:00Z');

    const makeEntry = (): TestEntry => {
      clock += Math.floor(random() * 3) * 1000;
      const isBackdated = random() < 0.05;
      const metadata: Record<string, unknown> = { n: Math.floor(random() * 50), id: `entry-${++entries}` };
      for (let i = 0; i < 3; i++)
        metadata[pick(words)] = random() < 0.5 ? pick(words) : [pick(words), { [pick(words)]: pick(words) }];
      return {
        organization: random() < 0.7 ? 'acme' : pick(organizations),
        eventType: random() < 0.01 ? 'rare.type' : pick(types),
        actorId: pick(actors),
        actorName: pick(actors),
        project: pick(projects),
        sessionType: pick(sessions),
        metadata: JSON.stringify(metadata),
        occurredAt: new Date(isBackdated ? clock - random() * 5_000_000 : clock).toISOString(),
      };
    };
    const makeEntries = (most: number) => Array.from({ length: 1 + Math.floor(random() * most) }, makeEntry);
    const makeQuery = (): EntryQuery =>
      queryOf({
        organization: random() < 0.8 ? 'acme' : pick(organizations),
        ...Object.fromEntries(
          Object.entries(truths).flatMap(([name, { share, make }]) =>
            random() < share ? [[name, make({ random, pick, entries })]] : [],
          ),
        ),
        from: random() < 0.1 ? new Date(clock - random() * 1_000_000).toISOString() : null,
        to: random() < 0.1 ? new Date(clock - random() * 500_000).toISOString() : null,
      });

    const late: Array<Awaited<ReturnType<typeof openSession>>> = [];
    onTestFinished(async () => {
      for (const session of late) await session.end();
    });
    for (let round = 0; round < 16; round++) {
      await writeEntries(db, makeEntries(60));
      if (random() < 0.3) {
        const session = await openSession(url);
        await session.query('begin');
        await writeEntries(session as unknown as Database, makeEntries(20));
        late.push(session);
      }
      const closing = random() < 0.3 ? late.shift() : undefined;
      if (closing) {
        await closing.query(random() < 0.8 ? 'commit' : 'rollback');
        await closing.end();
      }
      if (round === 6) await makeBlocksFormer(db);
      // As after a dump and restore: entries, blocks and positions are another cluster's.
      if (round === 8) {
        for (const session of late.splice(0)) await session.end();
        for (const table of ['entries', 'search_blocks', 'search_positions'])
          await db.query(`update audit.${table} set cluster = 42`);
      }
      const indexing = random() < 0.6 ? indexAll(db, { share: 1, blockEntries: 20 }) : null;
      for (let i = 0; i < 4; i++) await compare(db, makeQuery(), random);
      await indexing;
    }
    // A transaction that stayed open to the end has kept all entries of the new cluster out of the blocks.
    for (const session of late.splice(0)) await session.end();
    await indexAll(db, { share: 1, blockEntries: 20 });
    for (let i = 0; i < 4; i++) await compare(db, makeQuery(), random);
    const { rows } = await db.query(
      'select count(*)::int as n, count(distinct cluster)::int as clusters, count(distinct gram_version)::int as versions from audit.search_blocks',
    );
    expect(rows[0].n).toBeGreaterThan(8);
    expect(rows[0].clusters).toBe(2);
    expect(rows[0].versions).toBe(2);
  });
}

async function compare(db: Database, query: EntryQuery, random: () => number): Promise<void> {
  const direction = random() < 0.7 ? 'older' : 'newer';
  const everything = await plainSearch(db, query);
  const histogram = await readHistogram(db, query, { now: new Date(), budgetMs: 60_000 });
  expect(histogram, JSON.stringify(query)).toMatchObject({ total: everything.length, isComplete: true });
  const ordered = direction === 'older' ? everything : everything.toReversed();
  const start = random() < 0.5 ? null : (ordered[Math.floor(random() * ordered.length)] ?? null);
  const expected = start ? ordered.slice(ordered.indexOf(start) + 1) : ordered;
  const sizes = {
    firstRows: 7,
    sliceRows: 15,
    mostFew: random() < 0.5 ? 5 : 5_000,
    mostUnindexed: random() < 0.2 ? 5 : 400,
    probedBlocks: 5,
    listedBlocks: 3,
    batchMs: 1,
  };
  // Each look at the clock costs a second: the budget ends after so many statements.
  let clock = 0;
  const now = () => (clock += 1000);
  const limit = 1 + Math.floor(random() * 20);

  const found: string[] = [];
  let cursor: Cursor | null = start;
  let calls = 0;
  do {
    const budgetMs = 1 + Math.floor(random() * 14) * 1000;
    const page = await findEntries(db, query, cursor, { limit, budgetMs, direction, sizes, now });
    const { entries, next, searchedBackTo } = page;
    found.push(...entries.map((entry) => entry.id));
    expect(page.more).toBe(next !== null);
    expect(entries.length).toBeLessThanOrEqual(limit);
    if (searchedBackTo === null && next) expect(entries.length).toBe(limit);
    // Always further than where it began.
    if (next && cursor) {
      const [first, second] = direction === 'older' ? [next, cursor] : [cursor, next];
      expect(sortKey(first) < sortKey(second), `${sortKey(cursor)} to ${sortKey(next)}`).toBe(true);
    }
    cursor = next;
    expect(++calls).toBeLessThan(3_000);
  } while (cursor);
  expect(found, JSON.stringify({ query, direction, start, limit })).toEqual(
    expected.map((entry) => entry.id),
  );
}

function sortKey({ occurredAt, id }: Cursor): string {
  return `${occurredAt} ${id.padStart(maxEntryId.length, '0')}`;
}

/** Reads every entry; newest first. */
async function plainSearch(db: Database, query: EntryQuery): Promise<Cursor[]> {
  const values: unknown[] = [];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const conditions = Object.entries(truths as unknown as Record<string, Truth<unknown>>).map(
    ([name, { holds }]) => `(${holds(query[name as keyof Conditions], add)})`,
  );
  const [organization, from, to] = [query.organization, query.from, query.to].map(add);
  const { rows } = await db.query<Cursor>(
    `select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "occurredAt", id::text
     from audit.entries
     where organization = ${organization} and (${from}::timestamptz is null or occurred_at >= ${from})
       and (${to}::timestamptz is null or occurred_at < ${to}) and ${conditions.join(' and ')}
     order by occurred_at desc, audit.entries.id desc`,
    values,
  );
  return rows;
}

/** Same numbers for the same seed. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

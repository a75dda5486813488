/** What is counted beside a list: entries over time, and of each value; of exactly the filter, in bounded time, and saying so. */
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { readFacet } from '../../src/search/facets.ts';
import { makeEdges, readHistogram } from '../../src/search/histogram.ts';
import { indexAll } from '../../src/search/indexer.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { queryOf } from './entries.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const now = new Date('2026-03-31T00:00:00Z');
const count = 60_000;
const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-31T00:05:00Z' };

/** An entry each 40 seconds of the 28 days before `now`, 2,000 days older ones, and one of the future. */
let db: Database;
beforeAll(async () => {
  db = openDatabase(await postgres.createDatabase());
  await db.query(
    `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
     select 'acme', case n % 3 when 0 then 'flow.created' when 1 then 'flow.deleted' else 'user.login' end, 'u-' || n % 40, 'Person ' || n % 40,
       case when n = 1 then 'rare_key' else 'user' end, case when n % 3 > 0 then 'web' end,
       case when n % 1000 = 7 then '{"word": "needle-in-it"}'::jsonb else '{}' end, $1::timestamptz - n * interval '40 seconds'
     from generate_series(1, $2::int) n
     union all select 'acme', 'flow.created', null, null, 'user', null, '{}', '2031-01-01'
     union all select 'other', 'x.y', 'u-9', 'Nobody', 'user', 'elsewhere', '{}', $1`,
    [now, count],
  );
  await indexAll(db, { share: 1 });
  return () => db.end();
}, 60_000);

const longBudget = { budgetMs: 30_000 };

test('bars hold every entry of the range, and no other', async () => {
  const found = await readHistogram(db, queryOf(range), { now, ...longBudget });
  const { rows } = await db.query(
    `select count(*)::int as n from audit.entries where organization = 'acme' and occurred_at >= $1 and occurred_at < $2`,
    [range.from, range.to],
  );
  expect(found).toMatchObject({ total: rows[0].n, later: 0, isComplete: true });
  expect(found.bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(rows[0].n);
  expect(found.bars[0]?.low).toBe('2026-03-01T00:00:00.000000Z');
  expect(found.bars.at(-1)?.high).toBe('2026-03-31T00:05:00.000000Z');
  for (const [n, bar] of found.bars.entries()) expect(bar.low).toBe(found.bars[n - 1]?.high ?? bar.low);
  const middle = found.bars[30];
  const asked = queryOf({ from: middle?.low ?? null, to: middle?.high ?? null });
  expect((await readHistogram(db, asked, { now, ...longBudget })).total).toBe(middle?.count);
});

test('an open range begins with the oldest entry, and what is dated in the future has no bar', async () => {
  const found = await readHistogram(db, queryOf(), { now, ...longBudget });
  expect(found).toMatchObject({ total: count + 1, later: 1, isComplete: true });
  expect(found.bars.at(-1)?.high).toBe('2026-03-31T00:05:00.000000Z');
  expect(found.bars.length).toBeLessThanOrEqual(66);
  expect(await readHistogram(db, queryOf({ organization: 'nobody' }), { now })).toMatchObject({ bars: [] });
});

test('a search, an actor and an exclusion are counted as the list finds them', async () => {
  const total = async (query: Parameters<typeof queryOf>[0]) => {
    const { isComplete, total } = await readHistogram(db, queryOf({ ...range, ...query }), {
      now,
      ...longBudget,
    });
    expect(isComplete).toBe(true);
    return total;
  };
  const all = await total({});
  expect(await total({ text: 'NEEDLE-in' })).toBe(60);
  expect(await total({ text: 'needle-in', notActors: ['u-7'] })).toBe(0);
  const one = await total({ actors: ['Person 7'] });
  expect(await total({ notActors: ['u-7'] })).toBe(all - one);
  const created = await total({ eventTypes: ['flow.created'] });
  expect(await total({ notEventTypes: ['flow.created'] })).toBe(all - created);
  expect(await total({ notProjects: [null] })).toBe(await total({ projects: ['web'] }));
});

test('what is cut off says which part was counted, and never more than there is', async () => {
  const whole = await readHistogram(db, queryOf(range), { now, ...longBudget });
  for (const query of [{}, { text: 'e' }, { text: 'needle-in' }, { notActors: ['u-7'] }]) {
    const cut = await readHistogram(db, queryOf({ ...range, ...query }), { now, budgetMs: 1 });
    expect(cut.isComplete).toBe(false);
    for (const [n, bar] of cut.bars.entries()) {
      expect(bar.count).toBeLessThanOrEqual(whole.bars[n]?.count ?? 0);
      if (bar.isCounted && Object.keys(query).length === 0) expect(bar.count).toBe(whole.bars[n]?.count);
    }
    const facet = await readFacet(db, queryOf({ ...range, ...query }), 'actor', { budgetMs: 1 });
    expect(facet.counted.kind).not.toBe('all');
    expect(facet.values.reduce((sum, value) => sum + value.count, 0)).toBeLessThan(whole.total);
  }
});

test('values are those of the range and of the other filters, with their counts', async () => {
  const read = async (query: Parameters<typeof queryOf>[0], choice: Parameters<typeof readFacet>[2]) =>
    readFacet(db, queryOf(query), choice, longBudget);
  const sessions = await read({ ...range, sessionTypes: ['user'] }, 'session');
  expect(sessions).toMatchObject({ counted: { kind: 'all' }, isCut: false });
  expect(sessions.values.map(({ value }) => value)).toEqual(['user', 'rare_key']);
  expect(sessions.values[1]).toEqual({ value: 'rare_key', label: null, count: 1 });
  const types = await read(
    { eventTypes: ['flow.created'], notEventTypes: ['user.login'], projects: ['web'] },
    'type',
  );
  expect(types.values).toMatchObject([
    { value: 'flow.deleted', count: count / 3 },
    { value: 'user.login', count: count / 3 },
  ]);
  const projects = await read({}, 'project');
  expect(projects.values).toMatchObject([
    { value: 'web', count: 40_000 },
    { value: null, count: 20_001 },
  ]);
  const actors = await read({ text: 'needle-in' }, 'actor');
  expect(actors.values).toEqual([{ value: 'u-7', label: 'Person 7', count: 60 }]);
  expect((await read({ organization: 'other' }, 'project')).values).toMatchObject([
    { value: 'elsewhere', count: 1 },
  ]);
  expect((await read({ organization: 'nobody' }, 'type')).values).toEqual([]);
});

test.each([
  ['an hour and five minutes', '2026-03-01T10:03:00.000000Z', '2026-03-01T11:08:00.000000Z', 65],
  ['thirty days', '2026-03-01T10:03:00.000000Z', '2026-03-31T10:08:00.000000Z', 61],
  ['a second', '2026-03-01T10:03:00.250000Z', '2026-03-01T10:03:01.000000Z', 1],
  ['a century', '1970-01-01T00:00:00.000000Z', '2070-01-01T00:00:00.000000Z', 21],
])('bars of %s begin at whole steps', (_what, low, high, most) => {
  const edges = makeEdges(low, high);
  expect(edges.length - 1).toBeLessThanOrEqual(Math.max(most, 66));
  expect(edges.length - 1).toBeGreaterThan(most / 3);
  expect([edges[0], edges.at(-1)]).toEqual([low, high]);
  expect(edges).toEqual([...new Set(edges)].sort());
});

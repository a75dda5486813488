/** What was not delivered to a destination is found without reading what was, however much that is. */
import { expect, onTestFinished, test } from 'vitest';
import { boundedRead, type Reader } from '../../src/database/boundedRead.ts';
import type { EntryQuery } from '../../src/database/entryQuery.ts';
import { prepareQuery, readFew } from '../../src/database/searchEntries.ts';
import { findEntries } from '../../src/search/findEntries.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { queryOf, writeEntries } from './entries.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const count = 100_000;
const key = 'directory/flows/siem';

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function listNodes(node: PlanNode | undefined): PlanNode[] {
  return node ? [node, ...(node.Plans ?? []).flatMap(listNodes)] : [];
}

/** An organization with many entries, all of them delivered. */
async function setUp() {
  const db = openDatabase(await postgres.createDatabase(), 3);
  onTestFinished(() => db.end());
  await db.query(
    `insert into audit.entries (organization, event_type, actor_id, metadata, occurred_at)
     select 'acme', 'flow.' || n % 7, 'u-' || n % 50, jsonb_build_object('n', n), '2026-03-01'::timestamptz + n * interval '1 s'
     from generate_series(1, ${count}) n`,
  );
  await db.query('analyze audit.entries');
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled)
     values ($1, 'acme', audit.cluster_id(), pg_current_snapshot())`,
    [key],
  );

  async function readRows(query: Partial<EntryQuery>) {
    let rows = 0;
    const found = await boundedRead(db, 20_000, async (reader) => {
      const watching: Reader = {
        ...reader,
        setTimeout: reader.setTimeout,
        query: async (text, values) => {
          const [plan] = await reader.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
            `explain (analyze, format json) ${text}`,
            values,
          );
          for (const node of listNodes(plan?.['QUERY PLAN'][0].Plan)) {
            if (node['Relation Name'] !== 'entries') continue;
            rows += (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
          }
          return reader.query(text, values);
        },
      };
      return await readFew(watching, await prepareQuery(reader, queryOf(query)), 5_000, 51);
    });
    return { rows, ids: found?.map(({ id }) => id) ?? null };
  }
  const find = (query: Partial<EntryQuery>) => findEntries(db, queryOf(query), null, { limit: 50 });
  return { db, readRows, find };
}

test('says that all is delivered after a few rows', async () => {
  const { readRows, find } = await setUp();
  const { rows, ids } = await readRows({ undelivered: [key] });
  expect(ids).toEqual([]);
  expect(rows).toBeLessThan(10);
  expect(await find({ undelivered: [key] })).toMatchObject({
    entries: [],
    more: false,
    searchedBackTo: null,
  });
});

test('reads what waits and what is parked, within the range of time, with the other filters', async () => {
  const { db, readRows, find } = await setUp();
  const ids = await writeEntries(
    db,
    Array.from({ length: 100 }, (_, n) => ({
      eventType: n % 2 === 0 ? 'web.even' : 'web.odd',
      occurredAt: `2026-06-01T00:${String(Math.floor(n / 2)).padStart(2, '0')}:${n % 2 === 0 ? '00' : '30'}Z`,
    })),
  );
  await db.query(
    `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message)
     select s.id, 1, 70, now(), 'EntryRefused', '' from audit.streams s`,
  );
  const undelivered = [key];
  const { rows } = await readRows({ undelivered });
  expect(rows).toBeLessThan(400);
  const newest = await find({ undelivered });
  expect(newest.entries.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 50));
  expect(newest.more).toBe(true);
  const early = await find({ undelivered, to: '2026-06-01T00:01:00Z' });
  expect(early.entries.map(({ id }) => id)).toEqual([ids[1], ids[0], '70']);
  expect(early).toMatchObject({ more: false, searchedBackTo: null });
  const between = { from: '2026-05-01T00:00:00Z', to: '2026-06-01T00:01:00Z' };
  expect((await find({ undelivered, ...between, eventTypes: ['web.odd'] })).entries).toHaveLength(1);
  expect((await find({ undelivered: ['nobody'] })).entries).toEqual([]);
});

test('goes on by itself, in time order, where more wait than can be listed', async () => {
  const { db, readRows, find } = await setUp();
  await db.query(`update audit.streams set settled = '1:1:'`);
  expect((await readRows({ undelivered: [key] })).ids).toBeNull();
  const found = await find({ undelivered: [key] });
  expect(found.entries).toHaveLength(50);
  const rare = await find({ undelivered: [key], has: ['{"n": 5}'] });
  expect(rare.entries.length > 0 || rare.next !== null).toBe(true);
});

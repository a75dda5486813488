/** Every statement of the page goes by the index that is meant for it, on each major version here, with statistics and without. */
import type pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadPageEntries, terms } from '../../bench/tools/pageEntries.ts';
import {
  countUnindexed,
  filterBlocks,
  filterUnindexed,
  readIndexedUpTo,
  scanBlocks,
} from '../../src/database/blocks.ts';
import { boundedRead, type Reader } from '../../src/database/boundedRead.ts';
import type { EntryQuery } from '../../src/database/entryQuery.ts';
import type { Database } from '../../src/database/pool.ts';
import {
  beginningUpTo,
  type Direction,
  filterRange,
  measureSlice,
  type Prepared,
  prepareQuery,
  readIndexed,
} from '../../src/database/searchEntries.ts';
import {
  byEdges,
  type Count,
  type CountBy,
  choices,
  countSlices,
  readTimeBounds,
  together,
} from '../../src/database/tally.ts';
import { termHashes } from '../../src/search/grams.ts';
import { indexAll } from '../../src/search/indexer.ts';
import { tallyEntries } from '../../src/search/tally.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { hasSystemPostgres, usePostgres } from '../tools/postgres.ts';
import { queryOf } from './entries.ts';

/** Half of them the organization's. */
const count = 120_000;
const middle = '2025-01-02T09:20:00Z';

describe.each([
  { which: 'embedded' as const, isThere: true },
  { which: 'system' as const, isThere: await hasSystemPostgres() },
])('on the $which Postgres', ({ which, isThere }) => {
  describe.skipIf(!isThere)('the page', () => {
    const postgres = usePostgres({ which, prepare: migrateDatabase, settings: { autovacuum: 'off' } });
    let db: Database;
    beforeAll(async () => {
      const url = await postgres.createDatabase();
      db = openDatabase(url, 3);
      const session = await openSession(url);
      await loadPageEntries(session, count, () => {});
      await session.end();
      await indexAll(db, { share: 1 });
      return () => db.end();
    });

    /** Runs `work` and tells which index each look at entries or blocks went by (`none`: the whole table), and the most rows that one read. */
    async function watch(
      query: Partial<EntryQuery>,
      work: (reader: Reader, prepared: Prepared) => Promise<unknown>,
    ) {
      const scans = new Set<string>();
      let rows = 0;
      await boundedRead(db, 20_000, async (reader) => {
        const asked = queryOf(query);
        const prepared = await prepareQuery(reader, asked);
        const watching: Reader = {
          ...reader,
          setTimeout: reader.setTimeout,
          query: async (text, values) => {
            const [plan] = await reader.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
              `explain (analyze, format json) ${text}`,
              values,
            );
            for (const node of nodesOf(plan?.['QUERY PLAN'][0].Plan)) {
              if (!['entries', 'search_blocks'].includes(node['Relation Name'] ?? '')) continue;
              // The index of a bitmap scan stands one node below.
              scans.add(node['Index Name'] ?? node.Plans?.[0]?.['Index Name'] ?? 'none');
              rows = Math.max(
                rows,
                node['Actual Rows'] * node['Actual Loops'] +
                  (node['Rows Removed by Filter'] ?? 0) * node['Actual Loops'],
              );
            }
            return reader.query(text, values);
          },
          each: async <R extends pg.QueryResultRow>(
            text: string,
            values: readonly unknown[],
            onRow: (row: R) => void,
          ) => {
            for (const row of await watching.query<R>(text, values)) onRow(row);
          },
        };
        await work(watching, prepared);
      });
      return { indexes: [...scans].sort(), rows };
    }

    describe.each(['with statistics', 'without statistics'])('%s', (state) => {
      beforeAll(async () => {
        if (state === 'without statistics')
          await db.query(
            `delete from pg_statistic where starelid in ('audit.entries'::regclass, 'audit.search_blocks'::regclass)`,
          );
      });

      test.each<Direction>(['older', 'newer'])('a page is read from its place (%s)', async (direction) => {
        for (const query of [{}, { to: middle }, { from: middle }]) {
          const page = await watch(query, (reader, prepared) =>
            readIndexed(reader, { ...prepared, direction }, 51),
          );
          expect(page).toEqual({ indexes: ['entries_by_time'], rows: 51 });
        }
        for (const eventTypes of [
          [terms.frequentType],
          [terms.rareType],
          [terms.frequentType, terms.rareType, 'x'],
        ]) {
          const page = await watch({ eventTypes, to: middle }, (reader, prepared) =>
            readIndexed(reader, { ...prepared, direction }, 51),
          );
          expect(page.indexes).toEqual(['entries_by_type']);
          expect(page.rows).toBeLessThanOrEqual(153);
        }
      });

      test('a slice is read and no more, of few types by type', async () => {
        const text = 'nothing at all';
        const slice = async (query: Partial<EntryQuery>) =>
          watch({ text, ...query }, async (reader, prepared) => {
            const measured = await measureSlice(reader, prepared, 5_000);
            if (!measured) throw new Error('the range is empty');
            await filterRange(reader, beginningUpTo(prepared, measured.end), 51);
          });
        const byTime = await slice({});
        expect(byTime.indexes.filter((index) => index !== 'entries_pkey')).toEqual(['entries_by_time']);
        expect(byTime.rows).toBe(5_000);
        const byType = await slice({ eventTypes: [terms.frequentType] });
        expect(byType.indexes.filter((index) => index !== 'entries_pkey')).toEqual(['entries_by_type']);
        expect(byType.rows).toBe(5_000);
      });

      test('what is counted is read by its time, or by its type, and no more than the range', async () => {
        // 900 entries of the organization.
        const slices = [
          { low: '2025-01-02T09:40:00Z', high: '2025-01-02T10:20:00Z' },
          { low: '2025-01-02T09:20:00Z', high: '2025-01-02T09:40:00Z' },
        ];
        const [low, high] = [slices[1]?.low ?? '', slices[0]?.high ?? ''];
        const nothing = { onCount: () => {}, onSlice: () => {} };
        const shapes: Array<[query: Partial<EntryQuery>, by: CountBy, indexes: string[]]> = [
          [{}, together, ['entries_by_time']],
          [{}, choices.actor, ['entries_by_time']],
          [{ eventTypes: [terms.frequentType, terms.rareType] }, together, ['entries_by_type']],
          [{ eventTypes: [terms.frequentType], notActors: ['u-100'] }, choices.project, ['entries_by_type']],
          [{ notEventTypes: [terms.frequentType] }, choices.session, ['entries_by_time']],
          [{ actors: ['u-100', 'Person 7'] }, together, ['entries_by_time']],
          [{ projects: ['project-6', null] }, choices.type, ['entries_by_time']],
          [{ notProjects: [null], sessionTypes: ['api_key'] }, together, ['entries_by_time']],
          [{ text: 'e' }, byEdges([low, high]), ['entries_by_time']],
        ];
        for (const [query, by, indexes] of shapes) {
          const counted = await watch({ from: low, to: high, ...query }, async (reader, prepared) => {
            await readTimeBounds(reader, prepared);
            await countSlices(reader, prepared, by, slices, nothing);
          });
          expect(
            counted.indexes.filter((index) => !indexes.includes(index)),
            JSON.stringify(query),
          ).toEqual(indexes.includes('entries_by_time') ? [] : ['entries_by_time']);
          // Postgres rounds the rows of a loop.
          expect(counted.rows, JSON.stringify(query)).toBeLessThanOrEqual(902);
        }
      });

      test('a rare term is counted by the blocks that may hold it', async () => {
        let total = 0;
        const counted = await watch({ text: terms.longAgo, to: middle }, async (reader, prepared) => {
          const onCount = ({ count }: Count) => {
            total += count;
          };
          const by = byEdges([prepared.range.low.occurredAt, middle]);
          expect(await tallyEntries(reader, prepared, { by, slices: [], onCount, budgetMs: 20_000 })).toEqual(
            {
              kind: 'all',
            },
          );
        });
        expect(total).toBe(count / 10 / 4);
        expect(counted.indexes.filter((index) => index !== 'entries_pkey')).toEqual([
          'entries_stream_order',
          expect.stringMatching(/search_blocks/),
        ]);
      });

      test('what is in no block is read by the order in which it was written', async () => {
        const rest = await watch({ text: 'nothing at all', to: middle }, async (reader, prepared) => {
          const upTo = await readIndexedUpTo(reader, 'acme');
          await countUnindexed(reader, 'acme', upTo, 20_001);
          await filterUnindexed(reader, prepared, upTo, 51);
        });
        expect(rest.indexes.filter((index) => index !== 'entries_pkey')).toEqual(['entries_stream_order']);
        expect(rest.rows).toBeLessThan(600);
      });

      test('blocks are found by their time, and read by the order in which they were written', async () => {
        const blocks = await watch({ text: terms.longAgo, to: middle }, async (reader, prepared) => {
          const probes = prepared.needles.map((list) => list.map(termHashes));
          const { candidates } = await scanBlocks(reader, prepared, probes, null, 3_000);
          expect(candidates.length).toBeGreaterThan(10);
          expect(candidates.length).toBeLessThan(20);
          await filterBlocks(reader, prepared, candidates.slice(0, 4), 51);
        });
        const expected = ['entries_stream_order', expect.stringMatching(/search_blocks/)];
        expect(blocks.indexes.filter((index) => index !== 'entries_pkey')).toEqual(expected);
        expect(blocks.rows).toBeLessThanOrEqual(2_000);
      });
    });
  });
});

interface PlanNode {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode | undefined): PlanNode[] {
  return node ? [node, ...(node.Plans ?? []).flatMap(nodesOf)] : [];
}

/** The indexer beside a product and beside itself: each entry in one block, nothing early, nothing lost by an outage. */
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { indexAll, startIndexer } from '../../src/search/indexer.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  return { url, db: open(url) };
}

function open(url: string): Database {
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  return db;
}

/** Of each entry that lies in a block's range, in how many it does. */
async function coverage(db: Database): Promise<{ covered: number; twice: number; counted: number }> {
  const { rows } = await db.query(
    `with covered as (
       select e.id, count(*) as times from audit.search_blocks b join audit.entries e
         on e.organization = b.organization and e.cluster = b.cluster
           and (e.xid, e.id) >= (b.first_xid, b.first_id) and (e.xid, e.id) <= (b.last_xid, b.last_id)
       group by e.id)
     select count(*)::int as covered, (count(*) filter (where times > 1))::int as twice,
       (select coalesce(sum(entries), 0)::int from audit.search_blocks) as counted from covered`,
  );
  return rows[0];
}

function start(db: Database): { lines: string[]; stop(): Promise<void> } {
  const lines: string[] = [];
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const indexer = startIndexer({ db, log, intervalMs: 20 });
  onTestFinished(() => indexer.stop());
  return { lines, stop: () => indexer.stop() };
}

test('several at once put each entry into one block', async () => {
  const { url, db } = await setUp();
  const indexers = Array.from({ length: 4 }, () => start(open(url)));
  for (let i = 0; i < 30; i++)
    await insertEntries(db, [...numbered(200), ...numbered(50, { organization: `o-${i % 3}` })]);
  await waitFor(async () => (await coverage(db)).covered >= 6_000 + 3 * 500);
  await Promise.all(indexers.map((indexer) => indexer.stop()));
  expect(await coverage(db)).toEqual({ covered: 7_500, twice: 0, counted: 7_500 });
  expect(indexers.flatMap((indexer) => indexer.lines)).toEqual([]);
});

test('waits for what may still commit, and then takes it', async () => {
  const { url, db } = await setUp();
  const late = await openSession(url);
  onTestFinished(() => late.end());
  await insertEntries(db, numbered(500));
  await late.query('begin');
  await insertEntries(late, numbered(300));
  await insertEntries(db, numbered(2_000));
  expect(await indexAll(db, { share: 1 })).toBe(500);
  await late.query('commit');
  expect(await indexAll(db, { share: 1 })).toBe(2_000);
  expect(await coverage(db)).toEqual({ covered: 2_500, twice: 0, counted: 2_500 });
});

test('entries of any size make blocks, and few of them none', async () => {
  const { db } = await setUp();
  await insertEntries(db, numbered(499));
  expect(await indexAll(db, { share: 1 })).toBe(0);
  const big = JSON.stringify({
    text: Array.from({ length: 40_000 }, (_, i) => (i * 7919).toString(36)).join(' '),
  });
  await insertEntries(
    db,
    Array.from({ length: 40 }, () => ({ organization: 'big', metadata: big })),
  );
  expect(await indexAll(db, { share: 1 })).toBeGreaterThanOrEqual(38);
  const { rows } = await db.query(
    'select max(text_bytes)::int as most, max(octet_length(grams)) as grams from audit.search_blocks',
  );
  expect(rows[0].most).toBeLessThan(1_000_000);
  expect(rows[0].grams).toBeLessThanOrEqual(262_144);
});

test('one that died leaves its organization to the next when its claim has run out', async () => {
  const { db } = await setUp();
  await insertEntries(db, numbered(1_000));
  await db.query(
    `insert into audit.search_positions values ('acme', audit.cluster_id(), '0', 0, clock_timestamp() + interval '1 minute')`,
  );
  expect(await indexAll(db, { share: 1 })).toBe(0);
  await db.query(`update audit.search_positions set claimed_until = clock_timestamp() - interval '1 second'`);
  expect(await indexAll(db, { share: 1 })).toBe(1_000);
});

test('survives an outage, says so once each way, and stops at once', { timeout: 60_000 }, async () => {
  const { db } = await setUp();
  const { lines, stop } = start(db);
  await insertEntries(db, numbered(500));
  await waitFor(async () => (await coverage(db)).covered === 500);
  await postgres.server.stop('immediate');
  await waitFor(() => lines.length === 1);
  await postgres.server.restart();
  await waitFor(async () => (await insertEntries(db, numbered(600)).catch(() => [])).length > 0);
  await waitFor(async () => (await coverage(db)).covered >= 1_000, {
    // The claim of the work that was cut off runs out first.
    timeoutMs: 40_000,
    describe: () => lines.join(''),
  });
  const startedAt = performance.now();
  await stop();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'info']);
});

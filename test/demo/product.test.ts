import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ProductOptions, runProduct, seedHistory } from '../../cmd/demo/product.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({
  async prepare(url) {
    const pool = new pg.Pool({ connectionString: url });
    await migrate(pool, await readMigrations());
    await pool.query(`create role product login password 'product'`);
    await pool.query(`select audit.grant_writer('product')`);
    await pool.end();
  },
});

const sessionsSql = `select pid from pg_stat_activity where application_name = 'sample-product'`;

let admin: pg.Pool;
/** As the product connects: with INSERT on the documented columns and nothing else. */
let databaseUrl: string;

beforeEach(async () => {
  const url = new URL(await postgres.createDatabase());
  admin = new pg.Pool({ connectionString: url.href, max: 1 });
  url.username = 'product';
  url.password = 'product';
  databaseUrl = url.href;
});
afterEach(() => admin.end());

async function count(where = 'true'): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from audit.entries where ${where}`,
  );
  return rows[0]?.count ?? 0;
}

function start(changes: Partial<ProductOptions> = {}) {
  const controller = new AbortController();
  const problems: string[] = [];
  let committed = 0;
  const ended = runProduct({
    databaseUrl,
    perSecond: 2_000,
    seed: 1,
    signal: controller.signal,
    onCommit: (entries) => {
      committed += entries;
    },
    onProblem: (sentence) => void problems.push(sentence),
    ...changes,
  });
  return { ended, problems, committed: () => committed, stop: () => controller.abort() };
}

test('commits what it says it committed, rolls back the rest, and leaves no transaction open', async () => {
  const product = start();
  await waitFor(() => product.committed() > 500);
  product.stop();
  const { committed } = await product.ended;
  expect(product.problems).toEqual([]);
  expect(committed).toBe(product.committed());
  expect(await count()).toBe(committed);
  const { rows } = await admin.query(
    `select max(id)::int as given, count(distinct xid)::int as transactions, count(distinct organization)::int as organizations
     from audit.entries`,
  );
  // Rolled back entries leave gaps in the ids; entries of one transaction share its xid.
  expect(rows[0].given).toBeGreaterThan(committed);
  expect(rows[0].transactions).toBeLessThan(committed);
  expect(rows[0].organizations).toBe(4);
  // The server needs a moment to notice that a client has gone.
  await waitFor(async () => (await admin.query(sessionsSql)).rows.length === 0);
});

test('commits some transactions after others that began later', async () => {
  const product = start();
  const openFor = `select 1 from pg_stat_activity
    where application_name = 'sample-product' and state = 'idle in transaction' and xact_start < now() - interval '300 ms'`;
  await waitFor(async () => (await admin.query(openFor)).rows.length > 0);
  const before = product.committed();
  await waitFor(() => product.committed() > before);
  product.stop();
  await product.ended;
});

test('keeps to its rate', async () => {
  const product = start({ perSecond: 100 });
  const startedAt = performance.now();
  await waitFor(() => product.committed() >= 150);
  const seconds = (performance.now() - startedAt) / 1_000;
  product.stop();
  await product.ended;
  expect(150 / seconds).toBeGreaterThan(20);
  expect(150 / seconds).toBeLessThan(200);
});

test('stops at once although its next entry is an hour away', async () => {
  const product = start({ perSecond: 1 / 3_600 });
  await waitFor(() => product.committed() > 0);
  const startedAt = performance.now();
  product.stop();
  await product.ended;
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('says once that it cannot write, and goes on when it can again', async () => {
  await admin.query('alter table audit.entries rename to entries_away');
  const product = start();
  await waitFor(() => product.problems.length > 0);
  await admin.query('alter table audit.entries_away rename to entries');
  await waitFor(() => product.committed() > 0);
  product.stop();
  await product.ended;
  expect(product.problems).toEqual([
    'The sample product cannot write: relation "audit.entries" does not exist (42P01); it goes on trying.',
  ]);
});

test('goes on after its connections were cut', async () => {
  const product = start();
  await waitFor(() => product.committed() > 0);
  await admin.query(`select pg_terminate_backend(pid) from (${sessionsSql}) sessions`);
  const before = await waitFor(() => product.committed());
  await waitFor(() => product.committed() > before + 100);
  product.stop();
  const { committed } = await product.ended;
  // A commit whose answer was cut off may have happened.
  expect(await count()).toBeGreaterThanOrEqual(committed);
});

test('seeds a history of entries in the order of their time', async () => {
  const startedAt = performance.now();
  const { written } = await seedHistory({ databaseUrl, count: 5_500, days: 10, seed: 1 });
  expect(written).toBe(5_500);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(await count()).toBe(5_500);
  expect(await count(`occurred_at < now() - interval '9 days 23 hours'`)).toBeGreaterThan(0);
  expect(await count(`occurred_at not between now() - interval '10 days 1 minute' and now()`)).toBe(0);
  const { rows } = await admin.query(
    `select 1 from (select occurred_at < lag(occurred_at) over (order by id) as earlier from audit.entries) e where earlier`,
  );
  expect(rows).toEqual([]);
});

test('ends the seeding when aborted', async () => {
  const signal = AbortSignal.abort();
  expect(await seedHistory({ databaseUrl, count: 5_000, signal })).toEqual({ written: 0 });
});

test('keeps integers exact on their way into the table', async () => {
  await seedHistory({ databaseUrl, count: 2_000, seed: 1 });
  expect(await count(`(metadata ->> 'ledgerSerial')::numeric > 1e30`)).toBeGreaterThan(0);
});

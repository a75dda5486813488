/**
 * Retention: how fast expired entries go, what the product's inserts notice of it, and whether the table stops growing.
 */

import { type Database, makePool } from '../src/database/pool.ts';
import { deleteExpired, findDue } from '../src/database/retention.ts';
import { Secret } from '../src/model/secret.ts';
import { startRetention } from '../src/retention/worker.ts';
import { makeLogger } from '../src/telemetry/logger.ts';
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { loadTable } from './tools/entries.ts';
import { type Figure, percentile, whole } from './tools/figure.ts';
import { writeEntries } from './tools/writers.ts';

const organization = 'acme';
const clients = 4;
const perSecond = 1_000;

export async function benchRetention(bench: Bench): Promise<Figure[]> {
  const databaseUrl = await bench.createDatabase('bench_retention');
  const db = makePool({ url: () => new Secret(databaseUrl), size: 3, onIdleError: () => {} });
  try {
    return [
      ...(await measureDeletion(bench, databaseUrl, db)),
      ...(await measureBeside(bench, databaseUrl, db)),
      ...(await measureGrowth(bench, databaseUrl, db)),
    ];
  } finally {
    await db.end();
  }
}

const load = (bench: Bench, databaseUrl: string, count: number) =>
  withClient(databaseUrl, (client) => loadTable(client, bench.quick ? count / 100 : count, [organization]));

const keep = (db: Database, interval: string) =>
  db.query('select audit.set_retention($1, $2::interval)', [organization, interval]);

async function measureDeletion(bench: Bench, databaseUrl: string, db: Database): Promise<Figure[]> {
  await load(bench, databaseUrl, 500_000);
  await keep(db, '1 second');
  await waitFor(async () => (await findDue(db)) !== null);
  let deleted = 0;
  const startedAt = performance.now();
  for (;;) {
    const batch = await deleteExpired(db, organization, 250);
    deleted += batch.deleted;
    if (batch.isWhole) break;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  return [
    {
      figure: 'retention: entries deleted in a busy second',
      ratio: deleted / seconds,
      goal: '≥ 50000',
      detail: `${whole(deleted)} entries, one organization, batches of 250, as a collector's; a collector takes a quarter of the time for it`,
    },
  ];
}

/** What one insert takes, in ms, p99. */
async function measureInserts(bench: Bench, databaseUrl: string): Promise<number> {
  const took: number[] = [];
  await writeEntries({
    databaseUrl,
    table: 'audit.entries',
    clients,
    perSecond,
    seconds: bench.quick ? 1 : 15,
    onCommit: (_, ms) => took.push(ms),
  });
  return percentile(
    took.sort((a, b) => a - b),
    0.99,
  );
}

async function measureBeside(bench: Bench, databaseUrl: string, db: Database): Promise<Figure[]> {
  const rounds = bench.quick ? 1 : 3;
  const without: number[] = [];
  const beside: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await keep(db, '100 years');
    await load(bench, databaseUrl, 400_000);
    without.push(await measureInserts(bench, databaseUrl));
    await keep(db, '1 second');
    const worker = startWorker(db);
    beside.push(await measureInserts(bench, databaseUrl));
    await worker.stop();
    bench.log(
      `round ${round + 1} of ${rounds}: p99 ${without.at(-1)?.toFixed(1)} → ${beside.at(-1)?.toFixed(1)} ms`,
    );
  }
  const middle = (values: number[]) =>
    values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return [
    {
      figure: 'retention: p99 of an insert beside it, against without',
      ratio: middle(beside) / middle(without),
      goal: '≤ 1.5',
      detail: `${middle(without).toFixed(1)} → ${middle(beside).toFixed(1)} ms, medians of ${rounds} rounds; ${perSecond} inserts/s by ${clients} clients`,
    },
  ];
}

async function measureGrowth(bench: Bench, databaseUrl: string, db: Database): Promise<Figure[]> {
  const partSeconds = bench.quick ? 1 : 60;
  await db.query('truncate audit.entries');
  await keep(db, bench.quick ? '1 second' : '60 seconds');
  const worker = startWorker(db);
  const write = (seconds: number) =>
    writeEntries({ databaseUrl, table: 'audit.entries', clients, perSecond, seconds });
  const sizeMiB = async () =>
    Number((await db.query(`select pg_relation_size('audit.entries') as size`)).rows[0]?.['size']) / 2 ** 20;
  const sizes: number[] = [];
  for (let part = 1; part <= (bench.quick ? 3 : 10); part++) {
    await write(partSeconds);
    sizes.push(await sizeMiB());
    bench.log(`after minute ${part}: ${sizes.at(-1)?.toFixed(0)} MiB`);
  }
  await worker.stop();
  const [, before = Number.NaN] = sizes;
  const after = sizes.at(-1) ?? Number.NaN;
  return [
    {
      figure: 'retention: growth of the table after minute 2 of 10',
      ratio: (after / before - 1) * 100,
      goal: '≤ 10 %',
      detail: `${sizes.map((size) => size.toFixed(0)).join(', ')} MiB, minute by minute; ${perSecond} inserts/s, kept for 60 s, autovacuum as it comes`,
    },
  ];
}

function startWorker(db: Database) {
  return startRetention({
    db,
    log: makeLogger({ level: 'warn' }),
    isReady: () => true,
    onDeleted: () => {},
    onState: () => {},
  });
}

/**
 * Ten thousand organizations that each write an entry every ten seconds, shared by two replicas: how late an entry is, and what
 * the database has to do for it. With few entries each, the work is that of streams, not of bytes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { startCollector, writeManifest } from './tools/collector.ts';
import { measureDelays } from './tools/delays.ts';
import { type Figure, percentile, whole } from './tools/figure.ts';
import { monotonicMs } from './tools/monotonic.ts';
import { readCpuSeconds, readPostgresCpuSeconds, readResidentMiB } from './tools/processStats.ts';
import { type Receiver, startReceiver } from './tools/receiver.ts';
import { writeEntries } from './tools/writers.ts';

const clients = 4;
/** Statements a second of two replicas that have nothing to do, with some room. */
const mostAtRest = 60;
/** What many organizations write, and more than two cores can send, which shows how they catch up. */
const paces = [
  { secondsPerEntry: 100, goal: '≤ 1000 ms' },
  { secondsPerEntry: 10, goal: '≤ 1000 ms' },
];

export async function benchOrganizations(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 100 : 10_000;
  const name = 'bench_organizations';
  const databaseUrl = await bench.createDatabase(name);
  const organizations = Array.from({ length: count }, (_, n) => `organization-${n}`);
  const receiver = await startReceiver('keep');
  const directory = await bench.makeDirectory();
  for (const organization of organizations)
    await writeManifest(directory, organization, { organization, endpoint: receiver.endpoint });
  return withClient(databaseUrl, async (client) => {
    await client.query('create extension pg_stat_statements');
    await client.query(`alter database ${name} set pg_stat_statements.track = 'top'`);
    const collectors = [
      await startCollector({ databaseUrl, directory }),
      await startCollector({ databaseUrl, directory }),
    ];
    try {
      await waitFor(async () => Math.min(...(await shares(client))) >= count * 0.45, {
        timeoutMs: 120_000,
        describe: () => collectors.map((collector) => collector.output()).join('\n'),
      });
      bench.log(`${count} streams are shared: ${(await shares(client)).join(' and ')}`);
      await writeFirst(client, organizations);
      await waitForRest(client, bench);
      const figures: Figure[] = [];
      for (const pace of paces) {
        const parts = {
          bench,
          databaseUrl,
          client,
          receiver,
          organizations,
          pids: collectors.map(({ pid }) => pid),
        };
        figures.push(...(await measure(parts, pace)));
      }
      return figures;
    } finally {
      for (const collector of collectors) await collector.stop();
      await receiver.stop();
    }
  });
}

/** One entry of each, so that no organization begins with the first one that is measured. */
async function writeFirst(client: pg.Client, organizations: readonly string[]): Promise<void> {
  await client.query(
    `insert into audit.entries (organization, event_type, metadata) select o, 'first', '{}' from unnest($1::text[]) o`,
    [organizations],
  );
  await waitFor(
    async () => {
      const { rows } = await client.query<{ all: boolean }>(
        'select bool_and(delivered > 0) and (select count(*) from audit.ledgers where size > 0) >= count(*) as all from audit.streams',
      );
      return rows[0]?.all === true;
    },
    { timeoutMs: 300_000, pollMs: 1_000 },
  );
}

/** Until what a start and first entries leave to do is done: statuses, checkpoints, the first looks of the search. */
async function waitForRest(client: pg.Client, bench: Bench): Promise<void> {
  // The first comparison of each ledger with the table is taken as done: the next one is hours away.
  await client.query('update audit.ledgers set scrubbed_at = clock_timestamp()');
  const startedAt = performance.now();
  const seconds = bench.quick ? 1 : 5;
  await waitFor(
    async () => {
      const before = await countStatements(client);
      await delay(seconds * 1_000);
      return (await countStatements(client)) - before < mostAtRest * seconds;
    },
    { timeoutMs: 600_000 },
  );
  bench.log(`at rest after ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
}

async function countStatements(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ calls: string }>(
    'select coalesce(sum(calls), 0) as calls from pg_stat_statements',
  );
  return Number(rows[0]?.calls);
}

interface Parts {
  readonly bench: Bench;
  readonly databaseUrl: string;
  readonly client: pg.Client;
  readonly receiver: Receiver;
  readonly organizations: readonly string[];
  /** The processes of the collectors. */
  readonly pids: readonly number[];
}

async function measure(
  { bench, databaseUrl, client, receiver, organizations, pids }: Parts,
  { secondsPerEntry, goal }: (typeof paces)[number],
): Promise<Figure[]> {
  const delivered = async () =>
    Number((await client.query('select sum(delivered) as sum from audit.streams')).rows[0]?.['sum']);
  const deliveredBefore = await delivered();
  const before = await observe(bench, client, pids);
  await receiver.report();
  const committedAt = new Map<string, number>();
  const written = await writeEntries({
    databaseUrl,
    table: 'audit.entries',
    clients,
    perSecond: organizations.length / secondsPerEntry,
    seconds: bench.quick ? 2 : 60,
    organization: (n) => organizations[n % organizations.length] ?? '',
    onCommit: (uid) => committedAt.set(uid, monotonicMs()),
  });
  const after = await observe(bench, client, pids);
  await waitFor(async () => (await delivered()) >= deliveredBefore + written.count, {
    timeoutMs: 240_000,
    pollMs: 500,
  });
  const lastAfterSeconds = (performance.now() - after.at) / 1_000;
  const { answers, requests } = await receiver.report('uids');
  const delays = measureDelays(answers, committedAt);
  const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((share) => percentile(delays, share).toFixed(0));
  const seconds = (after.at - before.at) / 1_000;
  const per = (figure: 'statements' | 'walBytes' | 'collectors' | 'postgres') =>
    (after[figure] - before[figure]) / seconds;
  const resident = await Promise.all(pids.map(readResidentMiB));
  const what = `${whole(organizations.length)} organizations, an entry every ${secondsPerEntry} s each`;
  return [
    {
      figure: `${what}: commit returned to receiver answered, p99`,
      ratio: percentile(delays, 0.99),
      goal,
      detail: `p50 ${p50}, p90 ${p90}, p99 ${p99}, longest ${most} ms; ${whole(written.count)} entries at ${whole(written.count / written.seconds)}/s by ${clients} clients, two replicas, the last settled ${lastAfterSeconds.toFixed(1)} s after its commit, ${(delays.length / requests).toFixed(1)} records a request; ${whole(per('statements'))} statements a second, each with its guard counted as one more and the product's inserts not counted; ${(per('walBytes') / 2 ** 20).toFixed(1)} MiB of WAL a second, the inserts' included; CPU of one core: collectors ${(per('collectors') * 100).toFixed(0)} %, Postgres ${(per('postgres') * 100).toFixed(0)} %; resident ${resident.map((each) => each?.toFixed(0)).join(' and ')} MiB`,
    },
  ];
}

/** How many streams each replica holds. */
async function shares(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ held: number }>(
    'select (select count(*)::int from audit.streams where holder = r.id) as held from audit.replicas r where expires_at > now()',
  );
  return rows.length < 2 ? [0] : rows.map(({ held }) => held);
}

async function observe(bench: Bench, client: pg.Client, pids: readonly number[]) {
  const { rows } = await client.query<{ statements: string; wal: string }>(
    `select coalesce(sum(calls) filter (where query not like 'insert into audit.entries %'), 0) as statements,
       pg_current_wal_insert_lsn() - '0/0' as wal from pg_stat_statements`,
  );
  const cpu = await Promise.all(pids.map(readCpuSeconds));
  return {
    statements: Number(rows[0]?.statements),
    walBytes: Number(rows[0]?.wal),
    collectors: cpu.reduce<number>((sum, each) => sum + (each ?? Number.NaN), 0),
    postgres: (await readPostgresCpuSeconds(bench.server.dataDirectory)) ?? Number.NaN,
    at: performance.now(),
  };
}

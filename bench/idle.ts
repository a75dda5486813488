/** What a replica with a thousand streams, and with ten thousand, costs while no one writes anything. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { startCollector, writeManifest } from './tools/collector.ts';
import { loadTable } from './tools/entries.ts';
import { type Figure, whole } from './tools/figure.ts';
import { readCpuSeconds, readPostgresCpuSeconds, readResidentMiB } from './tools/processStats.ts';
import { startReceiver } from './tools/receiver.ts';

const entriesPerOrganization = 20;
/** Unrelated commits per second in the same server: they change the snapshot, so polls must look. */
const foreignCommitsPerSecond = 10;

interface Idleness {
  readonly queriesPerSecond: number;
  readonly collectorCpuPercent: number;
  readonly postgresCpuPercent: number;
}

/** @throws Error if there is no /proc. */
export async function benchIdle(bench: Bench): Promise<Figure[]> {
  if (bench.quick) return measure(bench, 50, '≤ 180 MiB');
  return [...(await measure(bench, 1_000, '≤ 180 MiB')), ...(await measure(bench, 10_000, '≤ 400 MiB'))];
}

async function measure(bench: Bench, streams: number, memoryGoal: string): Promise<Figure[]> {
  const seconds = bench.quick ? 2 : 30;
  const name = `bench_idle_${streams}`;
  const databaseUrl = await bench.createDatabase(name);
  const organizations = Array.from({ length: streams }, (_, n) => `organization-${n}`);
  const receiver = await startReceiver('count');
  const directory = await bench.makeDirectory();
  for (const organization of organizations) {
    await writeManifest(directory, organization, {
      organization,
      endpoint: receiver.endpoint,
      startFrom: 'Beginning',
    });
  }
  try {
    return await withClient(databaseUrl, async (client) => {
      await client.query('create extension pg_stat_statements');
      await loadTable(client, streams * entriesPerOrganization, organizations);
      await client.query(`alter database ${name} set pg_stat_statements.track = 'top'`);
      const startedAt = performance.now();
      const collector = await startCollector({ databaseUrl, directory });
      try {
        await waitFor(
          async () => {
            const { rows } = await client.query(
              `select count(*) as idle from audit.streams where window_snapshot is null and delivered = ${entriesPerOrganization}`,
            );
            return Number(rows[0]?.idle) === streams;
          },
          { timeoutMs: 300_000, describe: () => collector.output() },
        );
        const deliveredSeconds = (performance.now() - startedAt) / 1000;
        bench.log(
          `${streams} streams have delivered their first entries after ${deliveredSeconds.toFixed(1)} s`,
        );
        await waitForLedgers(client, streams);
        // No idle work are counters that are written after the deliveries, for one period of the status (30 s), and that each
        // status's checkpoint is compared with the ledger once after that.
        await delay(bench.quick ? 1_000 : 75_000);
        const quiet = await observe(bench, client, collector.pid, seconds);
        const others = writeElsewhere(client);
        const busy = await observe(bench, client, collector.pid, seconds);
        await others.stop();
        const resident = await readResidentMiB(collector.pid);
        if (resident === null) throw new Error('resident memory is read from /proc, which only Linux has');
        const cpu = (idleness: Idleness) =>
          `collector ${idleness.collectorCpuPercent.toFixed(1)} %, Postgres ${idleness.postgresCpuPercent.toFixed(1)} %`;
        return [
          {
            figure: `idle: queries/s of ${whole(streams)} streams`,
            ratio: Math.max(quiet.queriesPerSecond, busy.queriesPerSecond),
            goal: '≤ 5',
            detail: `counted by pg_stat_statements over ${seconds} s, without the guards that go with them; ${quiet.queriesPerSecond.toFixed(2)} in a quiet server, ${busy.queriesPerSecond.toFixed(2)} while others commit ${foreignCommitsPerSecond} times a second; CPU of one core: ${cpu(quiet)} in a quiet server, ${cpu(busy)} with others`,
          },
          {
            figure: `idle: resident memory of ${whole(streams)} streams`,
            ratio: resident,
            goal: memoryGoal,
            detail: `at the end of it; every stream had delivered ${entriesPerOrganization} entries, ${deliveredSeconds.toFixed(1)} s after the start for all of them`,
          },
        ];
      } finally {
        await collector.stop();
      }
    });
  } finally {
    await receiver.stop();
  }
}

/**
 * Until everything is sealed and has a checkpoint. The first comparison of each ledger with the table, at a twentieth of the time, is
 * taken as done: the next one is hours away.
 */
async function waitForLedgers(client: pg.Client, organizations: number): Promise<void> {
  const count = async (condition: string): Promise<number> =>
    Number((await client.query(`select count(*) from audit.ledgers where ${condition}`)).rows[0]?.['count']);
  await waitFor(async () => (await count('size > 0 and note_size = size')) === organizations, {
    timeoutMs: 900_000,
    pollMs: 500,
  });
  await client.query('update audit.ledgers set scrubbed_at = clock_timestamp()');
}

async function observe(
  bench: Bench,
  client: pg.Client,
  collectorPid: number,
  seconds: number,
): Promise<Idleness> {
  const readAll = async () => ({
    // Only the collector's statements: this connection is not tracked, because it is older than the setting.
    // Each goes with its guard in one round trip.
    queries: Number(
      (
        await client.query(
          `select coalesce(sum(calls), 0) as calls from pg_stat_statements
           where query not like 'set local %' and query not like '%pg_catalog.set_config(%'`,
        )
      ).rows[0]?.calls,
    ),
    collector: (await readCpuSeconds(collectorPid)) ?? Number.NaN,
    postgres: (await readPostgresCpuSeconds(bench.server.dataDirectory)) ?? Number.NaN,
    at: performance.now(),
  });
  const before = await readAll();
  await delay(seconds * 1000);
  const after = await readAll();
  const took = (after.at - before.at) / 1000;
  return {
    queriesPerSecond: (after.queries - before.queries) / took,
    collectorCpuPercent: ((after.collector - before.collector) / took) * 100,
    postgresCpuPercent: ((after.postgres - before.postgres) / took) * 100,
  };
}

/** Commits that have nothing to do with the audit table. */
function writeElsewhere(client: pg.Client): { stop(): Promise<void> } {
  let isStopping = false;
  const done = (async () => {
    while (!isStopping) {
      await client.query('select pg_current_xact_id()');
      await delay(1000 / foreignCommitsPerSecond);
    }
  })();
  return {
    stop: () => {
      isStopping = true;
      return done;
    },
  };
}

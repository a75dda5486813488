/** One delivery of a filled table by a separate collector, timed by the database's clock. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { waitFor } from '../../tools/waitFor.ts';
import type { Bench } from './bench.ts';
import { startCollector, writeManifest } from './collector.ts';
import { readCpuSeconds, readPostgresCpuSeconds } from './processStats.ts';
import type { Receiver } from './receiver.ts';

export interface ExportRun {
  /** Seconds from pinning the first window to settling the last batch. */
  readonly seconds: number;
  /** Processor seconds; null if they cannot be read. The collector's include its start. */
  readonly cpu: {
    readonly collector: number | null;
    readonly postgres: number | null;
    readonly receiver: number | null;
  };
  /** Bytes that the receiver received. */
  readonly bytes: number;
}

export interface ExportRunOptions {
  readonly databaseUrl: string;
  /** Entries of organization `acme`. */
  readonly count: number;
  readonly receiver: Receiver;
  /** Default gzip. */
  readonly compression?: 'gzip' | 'zstd';
  /** Called about every 50 ms. */
  readonly onTick?: (collectorPid: number) => Promise<void>;
}

const timeoutMs = 600_000;
const pollIntervalMs = 50;

/** The stream is new, so it begins with the first entry. @throws Error if the receiver did not get every entry once. */
export async function runExport(bench: Bench, options: ExportRunOptions): Promise<ExportRun> {
  const { databaseUrl, count, receiver } = options;
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('truncate audit.streams, audit.replicas cascade');
  await receiver.report();
  const postgresBefore = await readPostgresCpuSeconds(bench.server.dataDirectory);
  const directory = await bench.makeDirectory();
  await writeManifest(directory, 'acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    compression: options.compression ?? 'gzip',
  });
  const collector = await startCollector({
    databaseUrl,
    directory,
    nodeOptions:
      bench.profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${bench.profileDirectory}`],
  });
  try {
    let pinnedAt: number | null = null;
    const seconds = await waitFor(
      async () => {
        // Rarely enough not to affect the result: the times come from the database.
        await delay(pollIntervalMs);
        await options.onTick?.(collector.pid);
        const { rows } = await client.query<{ pinned: number | null; last: number | null; done: boolean }>(
          `select extract(epoch from window_pinned_at)::float8 as pinned, extract(epoch from last_delivery_at)::float8 as last,
             delivered >= $1 and window_snapshot is null as done
           from audit.streams`,
          [count],
        );
        const [row] = rows;
        pinnedAt ??= row?.pinned ?? null;
        return row?.done && row.last !== null && pinnedAt !== null ? row.last - pinnedAt : undefined;
      },
      { timeoutMs, describe: () => collector.output() },
    );
    const cpu = { collector: await readCpuSeconds(collector.pid) };
    const postgresAfter = await readPostgresCpuSeconds(bench.server.dataDirectory);
    const report = await receiver.report();
    if (report.records !== count)
      throw new Error(`the receiver got ${report.records} records instead of ${count}`);
    return {
      seconds,
      cpu: {
        ...cpu,
        postgres: postgresBefore === null || postgresAfter === null ? null : postgresAfter - postgresBefore,
        receiver: report.cpuSeconds,
      },
      bytes: report.bytes,
    };
  } finally {
    await collector.stop();
    await client.end();
  }
}

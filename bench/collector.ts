/**
 * Entries per second of a whole delivery divided by those of a real OpenTelemetry Collector that reads the same entries from a
 * file: filelog receiver, OTLP/HTTP exporter, batches of 1,000, gzip at level 1, with its queue on disk and in memory.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { provideTool } from '../test/tools/build.ts';
import { findFreePort } from '../tools/freePort.ts';
import { type Service, startService } from '../tools/service.ts';
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { loadSample, loadTable } from './tools/entries.ts';
import { type ExportRun, runExport } from './tools/exportRun.ts';
import { type Figure, median, pairedRatio, spread, whole } from './tools/figure.ts';
import { readCpuSeconds } from './tools/processStats.ts';
import { type Receiver, startReceiver } from './tools/receiver.ts';

type Queue = 'on disk' | 'in memory';

interface CollectorRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Compressed. */
  readonly bytes: number;
}

const goals: Readonly<Record<Queue, string>> = { 'on disk': '≥ 3.5', 'in memory': '≥ 2.2' };
const timeoutMs = 600_000;

export async function benchCollector(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 5_000 : 200_000;
  const rounds = bench.quick ? 1 : 3;
  const command = await provideTool('otelcol-bench');
  const databaseUrl = await bench.createDatabase('bench_collector');
  await withClient(databaseUrl, (client) => loadTable(client, count));
  const lines = makeLines(count);
  const receiver = await startReceiver('keep');
  const exports: ExportRun[] = [];
  const theirs: Record<Queue, CollectorRun[]> = { 'on disk': [], 'in memory': [] };
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const queue of ['on disk', 'in memory'] as const)
        theirs[queue].push(await runCollector(bench, { command, queue, lines, count, receiver }));
      const run = await runExport(bench, { databaseUrl, count, receiver });
      exports.push(run);
      const seconds = (['on disk', 'in memory'] as const).map((queue) =>
        theirs[queue].at(-1)?.seconds.toFixed(2),
      );
      bench.log(
        `round ${round} of ${rounds}: collector ${seconds.join(' and ')} s, export ${run.seconds.toFixed(2)} s`,
      );
    }
  } finally {
    await receiver.stop();
  }
  const ours = exports.map((run) => run.seconds);
  return (['on disk', 'in memory'] as const).map((queue) => {
    const runs = theirs[queue];
    const seconds = runs.map((run) => run.seconds);
    const megabytes = (each: readonly { bytes: number }[]) =>
      (median(each.map((run) => run.bytes)) / 1e6).toFixed(0);
    return {
      figure: `export: entries/s against an OpenTelemetry Collector with its queue ${queue}`,
      ratio: pairedRatio(seconds, ours),
      goal: goals[queue],
      detail: `${whole(count / median(ours))} against ${whole(count / median(seconds))} entries/s, medians of ${rounds} interleaved rounds, the ratio taken round by round (export ${spread(ours)} s, Collector ${spread(seconds)} s); the Collector reads JSON lines from a file and sends them as structured bodies to the same receiver, from the moment the file is there; CPU ${median(exports.map((run) => run.cpu.collector ?? Number.NaN)).toFixed(1)} against ${median(runs.map((run) => run.cpuSeconds)).toFixed(1)} s, ${megabytes(exports)} against ${megabytes(runs)} MB`,
    };
  });
}

/** What the records of an export hold, as a product would log it. */
function makeLines(count: number): string {
  const { entries } = loadSample();
  const lines = entries.map(
    ({ metadata, ...rest }) =>
      `{"organization":"acme",${JSON.stringify(rest).slice(1, -1)},"metadata":${metadata}}`,
  );
  return `${Array.from({ length: count }, (_, n) => lines[n % lines.length]).join('\n')}\n`;
}

/** @throws Error if the receiver did not get every line once. */
async function runCollector(
  bench: Bench,
  options: {
    readonly command: string;
    readonly queue: Queue;
    readonly lines: string;
    readonly count: number;
    readonly receiver: Receiver;
  },
): Promise<CollectorRun> {
  const { command, queue, lines, count, receiver } = options;
  const folder = await bench.makeDirectory();
  await receiver.report();
  await writeFile(join(folder, 'lines'), lines);
  const port = await findFreePort();
  const service = await startCollector({ command, folder, queue, endpoint: receiver.endpoint, port });
  try {
    const startedAt = performance.now();
    await rename(join(folder, 'lines'), join(folder, 'entries.log'));
    // Its own count: the receiver parses nothing while the time runs.
    await waitFor(async () => (await readSent(port)) >= count, { timeoutMs, describe: service.output });
    const seconds = (performance.now() - startedAt) / 1000;
    const cpuSeconds = (await readCpuSeconds(service.pid)) ?? Number.NaN;
    const { records, bytes } = await receiver.report();
    if (records !== count) throw new Error(`the receiver got ${records} records instead of ${count}`);
    return { seconds, cpuSeconds, bytes };
  } finally {
    await service.stop();
  }
}

async function readSent(port: number): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(/^otelcol_exporter_sent_log_records\S* (\S+)$/m.exec(metrics)?.[1] ?? 0);
}

async function startCollector(options: {
  readonly command: string;
  readonly folder: string;
  readonly queue: Queue;
  readonly endpoint: string;
  readonly port: number;
}): Promise<Service> {
  const { command, folder, queue, endpoint, port } = options;
  const config = {
    extensions: { file_storage: { directory: folder } },
    receivers: {
      filelog: {
        include: [join(folder, '*.log')],
        start_at: 'beginning',
        storage: 'file_storage',
        operators: [{ type: 'json_parser', parse_to: 'body' }],
      },
    },
    exporters: {
      otlphttp: {
        logs_endpoint: `${endpoint}/v1/logs`,
        compression: 'gzip',
        compression_params: { level: 1 },
        sending_queue: {
          sizer: 'items',
          queue_size: 20_000,
          block_on_overflow: true,
          num_consumers: 4,
          batch: { sizer: 'items', min_size: 1_000, max_size: 1_000, flush_timeout: '200ms' },
          ...(queue === 'on disk' && { storage: 'file_storage' }),
        },
      },
    },
    service: {
      extensions: ['file_storage'],
      pipelines: { logs: { receivers: ['filelog'], exporters: ['otlphttp'] } },
      telemetry: {
        metrics: {
          readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port } } } }],
        },
      },
    },
  };
  const path = join(folder, 'config.yaml');
  await writeFile(path, stringify(config));
  return startService({
    name: 'OpenTelemetry Collector',
    command,
    args: ['--config', path],
    isReady: async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).ok,
  });
}

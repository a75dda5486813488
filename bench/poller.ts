/** Entries per second of a whole delivery divided by those of a plain poller on the OpenTelemetry SDK; see processes/poller.ts. */
import { type Bench, withClient } from './tools/bench.ts';
import { Child } from './tools/child.ts';
import { loadTable } from './tools/entries.ts';
import { type ExportRun, runExport } from './tools/exportRun.ts';
import { type Figure, median, pairedRatio, spread, whole } from './tools/figure.ts';
import { type Receiver, startReceiver } from './tools/receiver.ts';

interface PollerResult {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

interface PollerRun extends PollerResult {
  /** Compressed. */
  readonly bytes: number;
}

export async function benchPoller(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 5_000 : 200_000;
  const rounds = bench.quick ? 1 : 3;
  const databaseUrl = await bench.createDatabase('bench_poller');
  bench.log(`loading ${whole(count)} entries`);
  await withClient(databaseUrl, (client) => loadTable(client, count));
  const receiver = await startReceiver('keep');
  const pollers: PollerRun[] = [];
  const exports: ExportRun[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const poller = await runPoller(databaseUrl, count, receiver);
      const run = await runExport(bench, { databaseUrl, count, receiver });
      bench.log(
        `round ${round} of ${rounds}: poller ${poller.seconds.toFixed(2)} s, export ${run.seconds.toFixed(2)} s`,
      );
      pollers.push(poller);
      exports.push(run);
    }
  } finally {
    await receiver.stop();
  }
  const theirs = pollers.map((run) => run.seconds);
  const ours = exports.map((run) => run.seconds);
  const megabytes = (runs: readonly { bytes: number }[]) =>
    (median(runs.map((run) => run.bytes)) / 1e6).toFixed(0);
  return [
    {
      figure: 'export: entries/s against a poller on the OpenTelemetry SDK',
      ratio: pairedRatio(theirs, ours),
      goal: '≥ 3.2',
      detail: `${whole(count / median(ours))} against ${whole(count / median(theirs))} entries/s, medians of ${rounds} interleaved rounds, the ratio taken round by round (export ${spread(ours)} s, poller ${spread(theirs)} s), same rows and receiver, gzip on both sides (${megabytes(exports)} and ${megabytes(pollers)} MB); the poller used ${median(pollers.map((run) => run.cpuSeconds)).toFixed(1)} CPU seconds`,
    },
  ];
}

async function runPoller(databaseUrl: string, count: number, receiver: Receiver): Promise<PollerRun> {
  await receiver.report();
  const child = new Child('poller.ts', [databaseUrl, receiver.endpoint, String(count)]);
  try {
    const result = await child.receive<PollerResult>();
    const { records, bytes } = await receiver.report();
    if (records !== count) throw new Error(`the receiver got ${records} records instead of ${count}`);
    return { ...result, bytes };
  } finally {
    await child.stop();
  }
}

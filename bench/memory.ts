/** Resident memory of the collector while it works off a long backlog: bounded, and flat from beginning to end. */
import { type Bench, withClient } from './tools/bench.ts';
import { loadTable } from './tools/entries.ts';
import { runExport } from './tools/exportRun.ts';
import { type Figure, median, whole } from './tools/figure.ts';
import { readResidentMiB } from './tools/processStats.ts';
import { startReceiver } from './tools/receiver.ts';

const sampleIntervalMs = 250;

/** @throws Error if there is no /proc. */
export async function benchMemory(bench: Bench): Promise<Figure[]> {
  const count = bench.quick ? 10_000 : 1_000_000;
  const databaseUrl = await bench.createDatabase('bench_memory');
  bench.log(`loading ${whole(count)} entries`);
  await withClient(databaseUrl, (client) => loadTable(client, count));
  const receiver = await startReceiver('count');
  const samples: number[] = [];
  let nextAt = 0;
  let seconds: number;
  try {
    bench.log('exporting them');
    const run = await runExport(bench, {
      databaseUrl,
      count,
      receiver,
      onTick: async (pid) => {
        if (performance.now() < nextAt) return;
        nextAt = performance.now() + sampleIntervalMs;
        const resident = await readResidentMiB(pid);
        if (resident === null) throw new Error('resident memory is read from /proc, which only Linux has');
        samples.push(resident);
      },
    });
    seconds = run.seconds;
  } finally {
    await receiver.stop();
  }
  const third = Math.floor(samples.length / 3);
  const middle = median(samples.slice(third, 2 * third));
  const last = median(samples.slice(2 * third));
  const most = Math.max(...samples);
  return [
    {
      figure: 'memory: resident during a long catch-up, largest',
      ratio: most,
      goal: '≤ 180 MiB',
      detail: `least ${whole(Math.min(...samples))}, median ${whole(median(samples))}, largest ${whole(most)} MiB of ${samples.length} samples; last third against middle third ${whole(last)} to ${whole(middle)} MiB (${((last / middle - 1) * 100).toFixed(1)} %); ${whole(count)} entries in ${seconds.toFixed(0)} s, to a receiver that unpacks each request before it answers`,
    },
  ];
}

/** Milliseconds from the return of a product's commit to the receiver's answer, under a steady load. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { startCollector, writeManifest } from './tools/collector.ts';
import { measureDelays } from './tools/delays.ts';
import { type Figure, percentile, whole } from './tools/figure.ts';
import { monotonicMs } from './tools/monotonic.ts';
import { type Receiver, startReceiver } from './tools/receiver.ts';
import { writeEntries } from './tools/writers.ts';

const clients = 4;
const perSecond = 1_000;

export async function benchLatency(bench: Bench): Promise<Figure[]> {
  const seconds = bench.quick ? 2 : 30;
  const warmUpSeconds = bench.quick ? 1 : 5;
  const databaseUrl = await bench.createDatabase('bench_latency');
  const receiver = await startReceiver('keep');
  const directory = await bench.makeDirectory();
  await writeManifest(directory, 'acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  const collector = await startCollector({ databaseUrl, directory });
  try {
    bench.log(`writing ${perSecond} entries/s for ${warmUpSeconds + seconds} s`);
    const load = { databaseUrl, table: 'audit.entries', clients, perSecond };
    const warmUp = await writeEntries({ ...load, seconds: warmUpSeconds });
    const committedAt = new Map<string, number>();
    const written = await writeEntries({
      ...load,
      seconds,
      onCommit: (uid) => committedAt.set(uid, monotonicMs()),
    });
    await waitForDelivered(databaseUrl, warmUp.count + written.count, collector.output);
    const { answers, requests } = await receiver.report('uids');
    const delays = measureDelays(answers, committedAt);
    const quiet = await measureQuiet(
      bench,
      databaseUrl,
      receiver,
      warmUp.count + written.count,
      collector.output,
    );
    const rate = written.count / written.seconds;
    const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((share) => percentile(delays, share).toFixed(0));
    return [
      {
        figure: 'latency: commit returned to receiver answered, p99',
        ratio: percentile(delays, 0.99),
        goal: '≤ 60 ms',
        detail: `p50 ${p50}, p90 ${p90}, p99 ${p99}, longest ${most} ms; ${whole(written.count)} entries at ${whole(rate)}/s (${perSecond} wanted), ${clients} clients, single-row commits to disk, ${(delays.length / requests).toFixed(0)} records a request`,
      },
      {
        figure: 'latency: a single entry in quiet, p99',
        ratio: percentile(quiet, 0.99),
        goal: '≤ 300 ms',
        detail: `p50 ${percentile(quiet, 0.5).toFixed(0)}, longest ${percentile(quiet, 1).toFixed(0)} ms; ${quiet.length} entries, one every ${quietPauseMs} to ${2 * quietPauseMs} ms`,
      },
    ];
  } finally {
    await collector.stop();
    await receiver.stop();
  }
}

/** Long enough that nothing of the entry before is under way. */
const quietPauseMs = 1_000;

async function measureQuiet(
  bench: Bench,
  databaseUrl: string,
  receiver: Receiver,
  before: number,
  output: () => string,
): Promise<number[]> {
  const entries = bench.quick ? 2 : 60;
  const committedAt = new Map<string, number>();
  for (let n = 0; n < entries; n++) {
    // At another moment of the poll each time.
    await delay(quietPauseMs * (1 + Math.random()));
    await writeEntries({
      databaseUrl,
      table: 'audit.entries',
      clients: 1,
      count: 1,
      onCommit: (uid) => committedAt.set(uid, monotonicMs()),
    });
  }
  await waitForDelivered(databaseUrl, before + entries, output);
  return measureDelays((await receiver.report('uids')).answers, committedAt);
}

async function waitForDelivered(databaseUrl: string, count: number, output: () => string): Promise<void> {
  await withClient(databaseUrl, (client) =>
    waitFor(
      async () => {
        const { rows } = await client.query('select delivered from audit.streams');
        return Number(rows[0]?.delivered) >= count;
      },
      { describe: output },
    ),
  );
}

/** Milliseconds from the return of a product's commit to the receiver's answer, under a steady load. */
import { waitFor } from '../tools/waitFor.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { startCollector, writeManifest } from './tools/collector.ts';
import { type Figure, percentile, whole } from './tools/figure.ts';
import { monotonicMs } from './tools/monotonic.ts';
import { startReceiver } from './tools/receiver.ts';
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
    await withClient(databaseUrl, (client) =>
      waitFor(
        async () => {
          const { rows } = await client.query('select delivered from audit.streams');
          return Number(rows[0]?.delivered) >= warmUp.count + written.count;
        },
        { describe: () => collector.output() },
      ),
    );
    const { answers, requests } = await receiver.report('uids');
    const delays: number[] = [];
    for (const { atMs, uids } of answers) {
      for (const uid of uids) {
        const at = committedAt.get(uid);
        if (at !== undefined) delays.push(atMs - at);
      }
    }
    if (delays.length !== written.count)
      throw new Error(`${written.count} entries were committed, ${delays.length} of them answered`);
    delays.sort((a, b) => a - b);
    const rate = written.count / written.seconds;
    const [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1].map((share) => percentile(delays, share).toFixed(0));
    return [
      {
        figure: 'latency: commit returned to receiver answered, p99',
        ratio: percentile(delays, 0.99),
        goal: '≤ 250 ms',
        detail: `p50 ${p50}, p90 ${p90}, p99 ${p99}, longest ${most} ms; ${whole(written.count)} entries at ${whole(rate)}/s (${perSecond} wanted), ${clients} clients, single-row commits to disk, ${(delays.length / requests).toFixed(0)} records a request`,
      },
    ];
  } finally {
    await collector.stop();
    await receiver.stop();
  }
}

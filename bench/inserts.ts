/**
 * Inserts per second into audit.entries divided by those into a table with the same columns and defaults that has its primary key
 * and nothing else: no second index, no checks. It shows what audit entries cost the product. With `--entries` so many are in both tables
 * before.
 */
import { type Bench, withClient } from './tools/bench.ts';
import { type Figure, median, pairedRatio, whole } from './tools/figure.ts';
import { loadPageEntries } from './tools/pageEntries.ts';
import { writeEntries } from './tools/writers.ts';

const clients = 4;

export async function benchInserts(bench: Bench): Promise<Figure[]> {
  const rounds = bench.quick ? 1 : 25;
  const seconds = bench.quick ? 0.5 : 1;
  const databaseUrl = await bench.createDatabase('bench_inserts');
  await withClient(databaseUrl, (client) =>
    client.query(`create table public.entries (
      like audit.entries including defaults including identity including storage, primary key (id))`),
  );
  const before = bench.pageEntries ?? 0;
  if (before > 0) {
    await withClient(databaseUrl, async (client) => {
      await loadPageEntries(client, before, bench.log);
      await client.query('insert into public.entries overriding system value select * from audit.entries');
      await client.query(
        `select setval(pg_get_serial_sequence('public.entries', 'id'), (select max(id) from public.entries))`,
      );
      await client.query('vacuum (analyze) public.entries');
      await client.query('checkpoint');
    });
  }
  const measure = async (table: string): Promise<number> => {
    const { count, seconds: took } = await writeEntries({ databaseUrl, table, clients, seconds });
    return count / took;
  };
  const ours: number[] = [];
  const plain: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    // Both sides take turns going first, so that a disk that gets slower or faster favours neither.
    const order = round % 2 === 0 ? (['ours', 'plain'] as const) : (['plain', 'ours'] as const);
    for (const table of order) {
      if (table === 'ours') ours.push(await measure('audit.entries'));
      else plain.push(await measure('public.entries'));
    }
    bench.log(
      `round ${round} of ${rounds}: ${whole(ours.at(-1) ?? 0)} against ${whole(plain.at(-1) ?? 0)} inserts/s`,
    );
  }
  return [
    {
      figure: `inserts/s against the same table with its primary key alone${before > 0 ? `, ${whole(before)} rows in both` : ''}`,
      ratio: pairedRatio(ours, plain),
      goal: '≥ 0.9',
      detail: `${whole(median(ours))} against ${whole(median(plain))} inserts/s, medians of ${rounds} interleaved rounds of ${seconds} s, the ratio taken round by round, ${clients} clients, single-row commits to disk (synchronous_commit on)`,
    },
  ];
}

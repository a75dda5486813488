/**
 * Inserts per second with everything that the page needs divided by those into the schema of only the first migration. In each round the
 * indexer puts the entries of the previous round into blocks: the work it has for a product that keeps writing like this.
 */
import { readMigrations } from '../src/database/migrate.ts';
import { type Bench, withClient } from './tools/bench.ts';
import { Child } from './tools/child.ts';
import { type Figure, median, pairedRatio, whole } from './tools/figure.ts';
import { loadPageEntries } from './tools/pageEntries.ts';
import { writeEntries } from './tools/writers.ts';

export async function benchPageInserts(bench: Bench): Promise<Figure[]> {
  const rounds = bench.quick ? 1 : 25;
  const seconds = bench.quick ? 0.5 : 1;
  const withPage = await bench.createDatabase('bench_page_inserts');
  const without = await bench.createDatabase('bench_page_bare', (await readMigrations()).slice(0, 1));
  for (const url of [withPage, without])
    await withClient(url, (client) => loadPageEntries(client, bench.quick ? 5_000 : 1_000_000, () => {}));
  const indexer = new Child('indexer.ts', [withPage]);
  const rates: Record<'page' | 'bare', number[]> = { page: [], bare: [] };
  try {
    await indexer.ask('catch-up');
    for (let round = 1; round <= rounds; round++) {
      const order = round % 2 === 0 ? (['page', 'bare'] as const) : (['bare', 'page'] as const);
      for (const side of order) {
        if (side === 'page') await indexer.ask('start');
        const databaseUrl = side === 'page' ? withPage : without;
        const { count, seconds: took } = await writeEntries({
          databaseUrl,
          table: 'audit.entries',
          clients: 4,
          seconds,
        });
        rates[side].push(count / took);
        if (side === 'page') await indexer.ask('stop');
      }
      bench.log(
        `round ${round} of ${rounds}: ${whole(rates.page.at(-1) ?? 0)} against ${whole(rates.bare.at(-1) ?? 0)} inserts/s`,
      );
    }
  } finally {
    await indexer.stop();
  }
  return [
    {
      figure: 'inserts/s with the page and its indexer at work against the schema without',
      ratio: pairedRatio(rates.page, rates.bare),
      goal: '≥ 0.9',
      detail: `${whole(median(rates.page))} against ${whole(median(rates.bare))} inserts/s, medians of ${rounds} interleaved rounds of ${seconds} s, 4 clients, single-row commits to disk; a million entries are there before`,
    },
  ];
}

/** What it costs to find out which streams have something new, and which organizations the search index, by the number of streams. */
import { randomUUID } from 'node:crypto';
import { type PollMark, pollStreams } from '../src/database/pollStreams.ts';
import { makePool } from '../src/database/pool.ts';
import { listIndexable, readHorizon } from '../src/database/searchIndex.ts';
import { Secret } from '../src/model/secret.ts';
import { entriesPerBlock, textBytesPerBlock } from '../src/search/blockBuilder.ts';
import type { Bench } from './tools/bench.ts';
import { type Figure, percentile, spread, whole } from './tools/figure.ts';

/** Each with the goals for the poll and for the search index, in milliseconds. */
const sizes = [
  [1_000, 5, 50],
  [10_000, 5, 50],
  [100_000, 10, 50],
] as const;

export async function benchPoll(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [streams, pollGoalMs, listGoalMs] of bench.quick ? sizes.slice(0, 1) : sizes) {
    figures.push(...(await benchSize(bench, streams, pollGoalMs, listGoalMs)));
  }
  return figures;
}

async function benchSize(
  bench: Bench,
  streams: number,
  pollGoalMs: number,
  listGoalMs: number,
): Promise<Figure[]> {
  const url = new Secret(await bench.createDatabase(`bench_poll_${streams}`));
  const db = makePool({ url: () => url, size: 2, onIdleError: () => {} });
  const replica = randomUUID();
  try {
    await db.query(`insert into audit.entries (organization, event_type, metadata)
      select 'organization-' || n, 'flow.created', '{}' from generate_series(1, ${streams}) n`);
    await db.query(
      `insert into audit.streams (config_key, organization, cluster, settled, holder, destination)
       select 'default/o-' || n, 'organization-' || n, audit.cluster_id(), pg_current_snapshot(), $1, 'default.o-' || n
       from generate_series(1, ${streams}) n`,
      [replica],
    );
    await db.query('analyze audit.entries, audit.streams');
    const write = (n: number) =>
      db.query(
        `insert into audit.entries (organization, event_type, metadata) values ('organization-' || $1::int, 'flow.created', '{}')`,
        [1 + ((n * 7_919) % streams)],
      );
    const first = await time(() => pollStreams(db, replica, null));
    let mark: PollMark = first.result.mark;
    const polls: number[] = [];
    for (let round = 0; round < (bench.quick ? 20 : 200); round++) {
      await write(round);
      const { ms, result } = await time(() => pollStreams(db, replica, { ...mark, ready: [] }));
      if (result.ready.length !== 1) throw new Error(`a poll found ${result.ready.length} streams, not 1`);
      mark = result.mark;
      polls.push(ms);
    }
    const walk = await time(() => listIndexable(db, null, entriesPerBlock, textBytesPerBlock));
    const lists: number[] = [];
    for (let round = 0; round < (bench.quick ? 5 : 20); round++) {
      const since = await readHorizon(db);
      for (let n = 0; n < 10; n++) await write(round * 10 + n);
      lists.push((await time(() => listIndexable(db, since, entriesPerBlock, textBytesPerBlock))).ms);
    }
    const p95 = (values: readonly number[]) =>
      percentile(
        values.toSorted((a, b) => a - b),
        0.95,
      );
    return [
      {
        figure: `poll: p95 with ${whole(streams)} idle streams`,
        ratio: p95(polls),
        goal: `≤ ${pollGoalMs} ms`,
        detail: `${polls.length} polls, one new entry before each; a look at every stream, once a minute: ${first.ms.toFixed(0)} ms`,
      },
      {
        figure: `poll: what the search index has to do, ${whole(streams)} organizations`,
        ratio: p95(lists),
        goal: `≤ ${listGoalMs} ms`,
        detail: `p95 of ${lists.length} (${spread(lists.slice(0, 5), 1)} …), ten new entries before each; every organization, at the start and once an hour: ${walk.ms.toFixed(0)} ms`,
      },
    ];
  } finally {
    await db.end();
  }
}

async function time<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const startedAt = performance.now();
  const result = await work();
  return { ms: performance.now() - startedAt, result };
}

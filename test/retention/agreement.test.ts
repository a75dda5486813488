/** After entries have gone, everything that shows entries shows the same: the list, the search, downloads, the API of the page. */
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { deleteExpired } from '../../src/database/retention.ts';
import { indexAll } from '../../src/search/indexer.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

/** Days that entries are kept; null: forever. */
const kept: Readonly<Record<string, number | null>> = { acme: 100, globex: null, initech: 10 };
const daysWritten = 300;
const perDay = Number(process.env['ENTRIES_PER_DAY'] ?? 10);

/** One a day and number; each third names a word. */
async function write(db: Database): Promise<void> {
  await db.query(
    `insert into audit.entries (organization, event_type, project, metadata, occurred_at)
     select o, 'day.' || d, 'project-' || d / 100, jsonb_build_object('n', n, 'word', case when n % 3 = 0 then 'needle' else 'hay' end),
       now() - (d + 0.5) * interval '1 day'
     from unnest($1::text[]) o, generate_series(0, $2::int - 1) d, generate_series(1, $3::int) n`,
    [Object.keys(kept), daysWritten, perDay],
  );
}

test('three organizations with three periods: exactly the expected entries are left, wherever one looks', {
  timeout: 600_000,
}, async () => {
  const { origin, db } = await startPageUnderTest(postgres, {
    viewer: { id: 'u-1', name: null, administers: 'all' },
  });
  await write(db);
  await indexAll(db, { share: 1 });
  for (const [organization, days] of Object.entries(kept))
    await db.query('select audit.set_retention($1, make_interval(days => $2))', [organization, days]);
  for (const organization of Object.keys(kept))
    while (!(await deleteExpired(db, organization, 1_000)).isWhole);

  for (const [organization, days] of Object.entries(kept)) {
    const expected = (days ?? daysWritten) * perDay;
    const { rows } = await db.query<{ count: string; oldest: number }>(
      `select count(*), max(substr(event_type, 5)::int) as oldest from audit.entries where organization = $1 and event_type like 'day.%'`,
      [organization],
    );
    expect(rows).toEqual([{ count: String(expected), oldest: (days ?? daysWritten) - 1 }]);
    const list = `${origin}/organizations/${organization}/audit-logs`;
    const download = async (search: string) =>
      (await (await fetch(`${list}/entries.ndjson?range=all&${search}`)).text()).trim().split('\n');
    const own = (lines: readonly string[]) => lines.filter((line) => line.includes('"day.'));
    expect(own(await download(''))).toHaveLength(expected);
    expect(own(await download('q=needle'))).toHaveLength((expected / perDay) * Math.floor(perDay / 3));
    const shown = async (search: string) => (await fetch(`${list}?range=all&${search}`)).text();
    // The last day that is left, and the one before it.
    const last = (days ?? daysWritten) - 1;
    expect(await shown(`type=day.${last}&q=needle`)).toContain('data-row');
    const gone = await shown(`type=day.${last + 1}&q=needle`);
    expect(gone).toContain('No entry matches');
    expect(gone).not.toContain('data-row');
    // What only entries of before had is offered no more.
    const offered = await shown('overview=1');
    if (days === null) expect(offered).toContain('project-2');
    else expect(offered).not.toContain('project-2');
  }
  const { rows: blocks } = await db.query<{ left: string }>(
    `select count(*) as left from audit.search_blocks b where not exists (select from audit.entries e
       where e.organization = b.organization and e.cluster = b.cluster
         and (e.xid, e.id) between (b.first_xid, b.first_id) and (b.last_xid, b.last_id))`,
  );
  expect(blocks).toEqual([{ left: '0' }]);
});

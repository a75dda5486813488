/** Which projects, session types and actors are offered: those of all entries, read once and in bounded time. */
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { readFacets } from '../../src/search/facets.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function withEntries(count: number, work: (db: Database) => Promise<void>): Promise<void> {
  const db = openDatabase(await postgres.createDatabase());
  try {
    await db.query(
      `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
       select 'acme', 'flow.created', 'u-' || n % 40, 'Person ' || n % 40, 'user', case when n % 3 > 0 then 'web' end, '{}',
         now() - $1::int * interval '1 minute' + n * interval '1 minute' from generate_series(1, $1::int) n`,
      [count],
    );
    await writeKey(db, 'old', count + 10);
    await work(db);
  } finally {
    await db.end();
  }
}

const writeKey = (db: Database, name: string, minutesAgo: number) =>
  db.query(
    `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
     values ('acme', 'flow.created', 'k-' || $1, 'Key ' || $1, $1 || '_key', $1 || '-project', '{}', now() - $2::int * interval '1 minute')`,
    [name, minutesAgo],
  );

test('what only the oldest of 150,000 entries holds is offered', async () => {
  await withEntries(150_000, async (db) => {
    const facets = await readFacets(db, 'acme', { budgetMs: 20_000 });
    expect(facets).toMatchObject({
      projects: ['old-project', 'web'],
      sessionTypes: ['old_key', 'user'],
      isComplete: true,
    });
    expect(facets.actors).toContainEqual({ id: 'k-old', name: 'Key old' });
    expect(facets.actors).toHaveLength(41);
  });
});

test('a read that is cut short says so, and the next ones go on to the end', async () => {
  await withEntries(3_000, async (db) => {
    expect((await readFacets(db, 'acme', { budgetMs: 1, sliceRows: 10 })).isComplete).toBe(false);
    await waitFor(async () => (await readFacets(db, 'acme', { budgetMs: 20, sliceRows: 100 })).isComplete);
    expect((await readFacets(db, 'acme')).projects).toEqual(['old-project', 'web']);
  });
});

test('what came since is added, however much of it, and another organization’s is not', async () => {
  await withEntries(50, async (db) => {
    expect((await readFacets(db, 'acme')).isComplete).toBe(true);
    await writeKey(db, 'new', 0);
    await db.query(
      `insert into audit.entries (organization, event_type, project, metadata) select o, 'x.y', o || ' ' || n, '{}'
       from generate_series(1, 30) n, unnest(array['globex', 'acme']) o`,
    );
    const facets = await readFacets(db, 'acme', { sliceRows: 10 });
    expect(facets.projects).toContain('new-project');
    expect(facets.projects).toHaveLength(33);
    expect(facets.projects.filter((project) => project.startsWith('globex'))).toEqual([]);
    expect((await readFacets(db, 'nobody')).projects).toEqual([]);
  });
});

test('an empty organization is complete, and its first entry is offered', async () => {
  await withEntries(1, async (db) => {
    expect((await readFacets(db, 'fresh')).isComplete).toBe(true);
    await db.query(
      `insert into audit.entries (organization, event_type, project, metadata) values ('fresh', 'x.y', 'first', '{}')`,
    );
    expect((await readFacets(db, 'fresh')).projects).toEqual(['first']);
  });
});

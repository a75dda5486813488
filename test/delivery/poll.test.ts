/** The poll: what it finds by what is new is what a look at every stream would find, whatever commits when. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type PollMark, pollStreams } from '../../src/database/pollStreams.ts';
import type { Database } from '../../src/database/pool.ts';
import { collectScans, explain } from '../database/explain.ts';
import { seededRandom } from '../tools/chaos/random.ts';
import { insertEntries, migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const replica = randomUUID();

async function setUp(streams: number): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 2);
  onTestFinished(() => db.end());
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled, holder)
     select 'default/' || n, 'o-' || n, audit.cluster_id(), pg_current_snapshot(), $1 from generate_series(1, $2) n`,
    [replica, streams],
  );
  return { url, db };
}

/** As if the stream had delivered everything. */
function settle(db: Database, organization: string) {
  return db.query('update audit.streams set settled = pg_current_snapshot() where organization = $1', [
    organization,
  ]);
}

test('finds what a look at every stream finds, in whatever order transactions end', async () => {
  const { url, db } = await setUp(12);
  const random = seededRandom(20_261_127);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const organizations = Array.from({ length: 12 }, (_, n) => `o-${n + 1}`);
  const open: pg.Client[] = [];
  onTestFinished(async () => {
    for (const session of open) await session.end();
  });
  let mark: PollMark | null = null;
  let found = 0;
  for (let step = 0; step < 300; step++) {
    const kind = random();
    if (kind < 0.25 && open.length < 6) {
      const session = await openSession(url);
      open.push(session);
      await session.query('begin');
      await insertEntries(session, [{ organization: pick(organizations) }]);
    } else if (kind < 0.4 && open.length > 0) {
      const [session] = open.splice(Math.floor(random() * open.length), 1);
      await session?.query(random() < 0.7 ? 'commit' : 'rollback');
      await session?.end();
    } else if (kind < 0.55) await insertEntries(db, [{ organization: pick(organizations) }]);
    else if (kind < 0.75) await settle(db, pick(organizations));
    else {
      const poll = await pollStreams(db, replica, mark);
      const all = await pollStreams(db, replica, null);
      expect(poll.ready.toSorted(), `step ${step}`).toEqual(all.ready.toSorted());
      mark = poll.mark;
      found += poll.ready.length;
    }
  }
  expect(found).toBeGreaterThan(100);
});

test('looks at every stream when another server answers, and when too much is new to be listed', async () => {
  const { db } = await setUp(3);
  const { mark } = await pollStreams(db, replica, null);
  await insertEntries(db, [{ organization: 'o-2' }]);
  const { rows } = await db.query<{ now: string }>('select pg_current_snapshot()::text as now');
  // As if it had seen the entry, on a server whose transaction ids mean something else.
  const elsewhere = { snapshot: rows[0]?.now ?? '', server: 'another', ready: [] };
  expect((await pollStreams(db, replica, elsewhere)).ready).toHaveLength(1);
  expect((await pollStreams(db, replica, { ...elsewhere, server: mark.server })).ready).toEqual([]);

  await settle(db, 'o-2');
  const before = await pollStreams(db, replica, null);
  await db.query(
    `insert into audit.entries (organization, event_type, metadata)
     select case when n <= 10000 then 'a-' || n else 'o-3' end, 'flow.created', '{}' from generate_series(1, 10001) n`,
  );
  expect((await pollStreams(db, replica, before.mark)).ready).toHaveLength(1);
});

test('reads the index, also where one transaction wrote most of the table', async () => {
  const { db } = await setUp(2_000);
  await db.query(
    `insert into audit.entries (organization, event_type, metadata)
     select 'o-' || 1 + n % 2000, 'flow.created', '{}' from generate_series(1, 200000) n`,
  );
  await db.query('update audit.streams set settled = pg_current_snapshot()');
  await db.query('analyze audit.entries, audit.streams');
  const { mark } = await pollStreams(db, replica, null);
  await insertEntries(db, [{ organization: 'o-7' }]);
  const scans: string[] = [];
  let buffers = 0;
  const explaining = {
    async query(text: string, values: unknown[]) {
      const literals = values.map((value) =>
        Array.isArray(value) ? `'{${value.join()}}'` : `'${String(value)}'`,
      );
      const explained = await explain(
        db,
        text.replace(/\$(\d)/g, (_, n) => literals[Number(n) - 1] ?? ''),
      );
      scans.push(...collectScans(explained).flatMap(({ relation, index }) => (index ? [] : [relation])));
      buffers = explained.buffers;
      return db.query(text, values);
    },
  } as unknown as Database;
  expect((await pollStreams(explaining, replica, mark)).ready).toHaveLength(1);
  expect(scans).not.toContain('entries');
  expect(buffers).toBeLessThan(200);
});

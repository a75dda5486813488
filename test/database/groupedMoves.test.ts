/** Pins and settlements of many streams in one statement: each as if it were alone. */
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { type Pinned, pinWindow, type Settlement, settle } from '../../src/database/window.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const filter = { eventTypes: [], excludeEventTypes: [], projects: [] };
const names = ['a', 'b', 'c', 'd', 'e'];

type Stream = { readonly id: string; readonly token: string };

/** A stream for each organization, and an entry. */
async function setUp(): Promise<{ db: Database; url: string; streams: Stream[] }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 8);
  onTestFinished(() => db.end());
  const streams: Stream[] = [];
  for (const organization of names) {
    const { rows } = await db.query<Stream>(
      `insert into audit.streams (config_key, organization, cluster, settled, token)
       values ($1, $1, audit.cluster_id(), pg_current_snapshot(), 7) returning id, token::text`,
      [organization],
    );
    if (rows[0]) streams.push(rows[0]);
    await insertEntries(db, [{ organization }]);
  }
  return { db, url, streams };
}

const windowOf = (pinned: Pinned) => {
  if (pinned.kind !== 'pinned' || !pinned.stream.window) throw new Error(pinned.kind);
  return pinned.stream.window;
};

async function settlementOf(db: Database, organization: string, pinned: Pinned): Promise<Settlement> {
  const { rows } = await db.query('select xid::text, id::text from audit.entries where organization = $1', [
    organization,
  ]);
  return {
    window: windowOf(pinned),
    from: null,
    to: { xid: BigInt(rows[0].xid), id: BigInt(rows[0].id) },
    sequence: 1,
    delivered: 1,
    rejected: 0,
    parked: null,
    lastRecord: null,
    finishes: true,
  };
}

const deliveredOf = async (db: Database) =>
  (await db.query('select config_key as key, delivered::int from audit.streams order by 1')).rows.map(
    ({ key, delivered }) => `${key} ${delivered}`,
  );

test('one that is stale moves nothing, and all others move', async () => {
  const { db, streams } = await setUp();
  const pinned = await Promise.all(streams.map((stream) => pinWindow(db, stream, filter)));
  expect(pinned.map(({ kind }) => kind)).toEqual(Array(5).fill('pinned'));
  expect((await pinWindow(db, streams[0] as Stream, filter)).kind).toBe('stale');
  const runs = await Promise.all(names.map((name, i) => settlementOf(db, name, pinned[i] as Pinned)));
  // Another replica has c, and the window of d is not what it was thought to be.
  await db.query(`update audit.streams set token = 8 where config_key = 'c'`);
  await db.query(`update audit.streams set window_snapshot = '3:3:' where config_key = 'd'`);
  const settled = await Promise.all(streams.map((stream, i) => settle(db, stream, runs[i] as Settlement)));
  expect(settled.map((one) => one !== null)).toEqual([true, true, false, false, true]);
  expect(await deliveredOf(db)).toEqual(['a 1', 'b 1', 'c 0', 'd 0', 'e 1']);
  const again = await Promise.all(streams.map((stream) => pinWindow(db, stream, filter)));
  expect(again.map(({ kind }) => kind)).toEqual([
    'nothing-new',
    'nothing-new',
    'lease-lost',
    'stale',
    'nothing-new',
  ]);
});

test('what one of them may not park is its own trouble', async () => {
  const { db, streams } = await setUp();
  const pinned = await Promise.all(streams.map((stream) => pinWindow(db, stream, filter)));
  const runs = await Promise.all(
    names.map(async (name, i): Promise<Settlement> => {
      const run = await settlementOf(db, name, pinned[i] as Pinned);
      const refusal = { reason: 'RejectedEntry', httpStatus: 400, message: 'no' } as const;
      return { ...run, delivered: 0, parked: { entryId: run.to.id.toString(), refusal: refusal as never } };
    }),
  );
  // Number 1 of b is parked already, for another entry.
  await db.query(
    `insert into audit.parked (stream, sequence, entry_id, observed_at, reason, message) values ($1, 1, 999, now(), 'x', 'y')`,
    [streams[1]?.id],
  );
  const settled = await Promise.allSettled(
    streams.map((stream, i) => settle(db, stream, runs[i] as Settlement)),
  );
  expect(settled.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  const { rows } = await db.query('select count(*)::int as n from audit.parked where entry_id <> 999');
  expect(rows).toEqual([{ n: 4 }]);
});

test('a row that somebody has locked holds up no other', async () => {
  const { db, url, streams } = await setUp();
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query(`begin; select from audit.streams where config_key in ('a', 'c') for update`);
  let waiting = streams.length;
  const pinned = streams.map((stream) =>
    pinWindow(db, stream, filter).finally(() => {
      waiting--;
    }),
  );
  await waitFor(() => waiting === 2, { timeoutMs: 10_000 });
  await session.query('commit');
  expect((await Promise.all(pinned)).map(({ kind }) => kind)).toEqual(Array(5).fill('pinned'));
});

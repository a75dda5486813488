/** A table that somebody locks for minutes: the statements that were given up leave no backend behind. */
import { expect, onTestFinished, test } from 'vitest';
import { copyOut } from '../../src/database/copyOut.ts';
import { makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function lockEntries() {
  const url = await postgres.createDatabase();
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin; lock table audit.entries in access exclusive mode');
  const observer = openDatabase(url, 1);
  onTestFinished(() => observer.end());
  const countWaiting = async (): Promise<number> => {
    const { rows } = await observer.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.n ?? 0;
  };
  return { url, countWaiting };
}

test('statements that are not answered in time are cancelled in the server', async () => {
  const { url, countWaiting } = await lockEntries();
  const db = makePool({ url: () => new Secret(url), size: 4, onIdleError: () => {}, queryTimeoutMs: 400 });
  onTestFinished(() => db.end());
  for (let round = 0; round < 3; round++) {
    const asked = Array.from({ length: 4 }, () => db.query('select count(*) from audit.entries'));
    await waitFor(async () => (await countWaiting()) >= 4 || undefined).catch(() => {});
    const ended = await Promise.allSettled(asked);
    expect(ended.map((each) => each.status)).toEqual(Array(4).fill('rejected'));
  }
  await waitFor(async () => (await countWaiting()) === 0);
});

test('a COPY of entries ends by the deadline of the server itself', async () => {
  const { url, countWaiting } = await lockEntries();
  const db = openDatabase(url, 1);
  onTestFinished(() => db.end());
  const copy = copyOut(db, 'select id from audit.entries', () => undefined, { timeoutMs: 300 });
  await expect(copy).rejects.toMatchObject({ code: '57014' });
  expect(await countWaiting()).toBe(0);
});

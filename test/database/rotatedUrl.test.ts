/** A new connection uses the user and the password that the URL has then, wherever and however they stand in it. */
import { expect, onTestFinished, test } from 'vitest';
import { followUrl } from '../../src/database/followUrl.ts';
import { type Database, makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';
import { openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';

const postgres = usePostgres();

const readUser = async (db: Database) =>
  (await db.query<{ user: string }>('select current_user as user')).rows[0]?.user;

test.each([
  ['with an @ that is not encoded', (url: URL) => url.href.replace('%40', '@')],
  ['in the query', (url: URL) => toQuery(url).href],
])('a new password and a new user %s', async (_, write) => {
  const ownerUrl = await postgres.createDatabase();
  const admin = openDatabase(ownerUrl, 1);
  onTestFinished(() => admin.end());
  const first = await makeRole(admin, ownerUrl);
  const second = await makeRole(admin, ownerUrl);
  let current = write(new URL(first.url));
  const elsewhere: string[] = [];
  const url = followUrl(
    () => new Secret(current),
    () => void elsewhere.push(current),
  );
  const db = makePool({ url, size: 1, onIdleError: () => {} });
  onTestFinished(() => db.end());
  expect(await readUser(db)).toBe(first.role);

  await admin.query(`alter role "${second.role}" password 'new@1'`);
  const next = new URL(second.url);
  next.password = 'new@1';
  current = write(next);
  await admin.query(`alter role "${first.role}" nologin`);
  await admin.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1', [
    first.role,
  ]);
  await expect.poll(() => readUser(db).catch(() => null)).toBe(second.role);
  expect(elsewhere).toEqual([]);
});

function toQuery(url: URL): URL {
  const moved = new URL(url);
  moved.searchParams.set('user', decodeURIComponent(url.username));
  moved.searchParams.set('password', decodeURIComponent(url.password));
  moved.username = '';
  moved.password = '';
  return moved;
}

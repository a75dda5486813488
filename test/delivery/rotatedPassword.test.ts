/** The password of the database is rotated while the collector runs: the role altered, the file replaced, old sessions ended. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('goes on with a new password and with a new user, without a restart, and follows the file to no other database', {
  timeout: 180_000,
}, async () => {
  const { url, db, receiver } = await setUp(postgres);
  const first = await makeRole(db, url);
  const second = await makeRole(db, url);
  for (const { role } of [first, second]) await db.query('select audit.grant_collector($1)', [role]);
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-url-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'database-url');
  const put = async (content: string) => {
    await writeFile(`${file}.new`, content);
    await rename(`${file}.new`, file);
  };
  const endSessions = (role: string) =>
    db.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
  const deliverOne = async (stored: number) => {
    await insertEntries(db, [{}]);
    await receiver.waitFor((r) => r.ledger.storedCount === stored, 60_000);
  };
  await put(`${first.url}\n`);
  const collector = await makeCollectorProcess('', { DATABASE_URL_FILE: file });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  await deliverOne(1);

  await db.query(`alter role "${first.role}" password 'another'`);
  await endSessions(first.role);
  await collector.waitForStatus('acme', (s) => s.conditions[0]?.reason === 'DatabaseUnavailable');
  const rotated = new URL(first.url);
  rotated.password = 'another';
  await put(rotated.href);
  await deliverOne(2);
  await collector.waitForStatus('acme', (s) => s.conditions[0]?.status === 'True');

  await put(second.url);
  await db.query(`alter role "${first.role}" nologin`);
  await endSessions(first.role);
  await deliverOne(3);

  const elsewhere = new URL(second.url);
  elsewhere.pathname = '/postgres';
  await put(elsewhere.href);
  await endSessions(second.role);
  await deliverOne(4);
  expect(collector.isRunning).toBe(true);
  // An entry may come by a session that is about to end, before the file is read.
  const told = () => collector.output().match(/DATABASE_URL now names another server, database or option/g);
  await waitFor(() => told() !== null);
  expect(collector.output()).not.toContain(':another@');
  await waitFor(async () => (await collector.readStatus('acme'))?.deliveredEntries === 4);
  expect(told()).toHaveLength(1);
});

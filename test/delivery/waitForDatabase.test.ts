/** A collector that finds no database it can work with waits for it, says for what, and needs no restart. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { renewLease } from '../../src/database/leases.ts';
import { type Migration, readMigrations } from '../../src/database/migrate.ts';
import { waitForDatabase } from '../../src/database/waitForDatabase.ts';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { startTcpProxy } from '../tools/tcpProxy.ts';

const postgres = usePostgres();

async function startWaiting(url: string) {
  const collector = await makeCollectorProcess(url, { LOG_LEVEL: 'info' });
  collector.start();
  const said = (sentence: string) =>
    waitFor(() => collector.output().includes(sentence), { describe: collector.output });
  const probe = async (path: string) => {
    const answer = await fetch(collector.operations + path);
    return { status: answer.status, text: await answer.text() };
  };
  return { collector, said, probe };
}

test('waits for the schema, then for its rights, and then delivers', async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 2);
  onTestFinished(() => db.end());
  const { role, url: roleUrl } = await makeRole(db, url);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());

  const { collector, said, probe } = await startWaiting(roleUrl);
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  await said('nothing is exported yet: The database lacks migration 0001_audit.sql');
  expect((await probe('/livez')).status).toBe(200);
  const readiness = await probe('/readyz');
  expect(readiness.status).toBe(503);
  expect(readiness.text).toContain('run `node cmd/migrate.ts`');

  await migrateDatabase(url);
  await said('select audit.grant_collector(');
  expect((await probe('/readyz')).status).toBe(503);

  await db.query('select audit.grant_collector($1)', [role]);
  await insertEntries(db, numbered(3));
  await receiver.waitFor(({ ledger }) => ledger.storedCount === 3);
  await waitFor(async () => (await probe('/readyz')).status === 200);
  expect(await collector.kill('SIGTERM')).toBe(0);
});

test.each<[what: string, change: Partial<URL>, sentence: string]>([
  ['a server that is not there', { port: 'free' }, 'Postgres refuses connections'],
  ['a wrong password', { password: 'wrong-Pa55word' }, 'Postgres refuses the user name or password'],
  ['an unknown role', { username: 'nobody' }, 'Postgres refuses the user name or password'],
  ['an unknown database', { pathname: '/nowhere' }, 'the database named in DATABASE_URL does not exist'],
  ['an unknown host', { hostname: 'nowhere.invalid' }, 'the host of DATABASE_URL cannot be resolved'],
])(
  'says what is wrong with %s once, without the password, and can be stopped',
  async (_, change, sentence) => {
    const url = Object.assign(new URL(postgres.server.url), change);
    if ('port' in change) url.port = String(await findFreePort());
    const { collector, said, probe } = await startWaiting(url.href);
    await said('The database cannot be used: ');
    await said(sentence);
    // A second look has been taken: the same problem is not said again.
    await waitFor(async () => (await probe('/readyz')).text.includes(sentence));
    expect(collector.output().split('nothing is exported yet').length - 1).toBe(1);
    expect(collector.output()).not.toContain(url.password);
    expect((await probe('/livez')).status).toBe(200);
    expect(await collector.kill('SIGTERM')).toBe(0);
  },
);

test('takes back what an earlier run has said, and says it again once it is true', async () => {
  const url = new URL(await postgres.createDatabase());
  await migrateDatabase(url.href);
  const db = openDatabase(url.href, 1);
  onTestFinished(() => db.end());
  await insertEntries(db, numbered(3));
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const proxy = await startTcpProxy(Number(url.port));
  url.port = String(proxy.port);
  const { collector } = await startWaiting(url.href);
  const { endpoint } = receiver;
  await collector.writeConfig('acme', { organization: 'acme', endpoint, startFrom: 'Beginning' });
  const isGreen = ({ conditions, deliveredEntries }: ExportStatus) =>
    conditions[0]?.message === 'Every entry is delivered.' && deliveredEntries === 3;
  await collector.waitForStatus('acme', isGreen);

  await collector.kill('SIGKILL');
  proxy.retarget(await findFreePort());
  collector.start();
  // Wrong ones are told of too.
  await collector.writeConfig('wrong', { organization: 'acme', endpoint: 'nonsense' });
  const said = await collector.waitForStatus('acme', (status) => !isGreen(status));
  expect(said).not.toHaveProperty('pendingEntries');
  expect(said.conditions).toMatchObject([
    { type: 'Ready', status: 'False', reason: 'DatabaseUnavailable' },
    { type: 'Reconciling', status: 'True' },
  ]);
  expect(said.conditions[0]?.message).toContain('the connection to Postgres was cut');
  await collector.waitForStatus('wrong', ({ conditions }) => conditions[0]?.reason === 'InvalidSpec');

  proxy.retarget(Number(new URL(postgres.server.url).port));
  await collector.waitForStatus('acme', isGreen);
});

test('leaves the word to a collector that works with the database', async () => {
  const url = await postgres.createDatabase();
  await migrateDatabase(url);
  const db = openDatabase(url, 2);
  onTestFinished(() => db.end());
  const newer = [...(await readMigrations()), { name: '9999_newer.sql', sql: 'select 1' }] as Migration[];
  const tries = async (wants: string): Promise<boolean> => {
    const stop = new AbortController();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const onTry = (_: string, isAlone: boolean) => resolve(isAlone);
    const waiting = waitForDatabase(
      db,
      newer,
      { wants: () => wants, onProblem: () => {}, onTry },
      stop.signal,
    );
    const isAlone = await promise;
    stop.abort();
    await waiting;
    return isAlone;
  };
  expect(await tries('x')).toBe(true);
  await renewLease(db, { id: randomUUID(), name: 'before' }, 'x', 60_000);
  expect(await tries('x')).toBe(false);
  // One with other configs does not know how these fare.
  expect(await tries('y')).toBe(true);
});

/** A ledger in a database that moves to another cluster, and what a collector says of one that was set back. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openWindow } from '../../src/database/ledgerWindow.ts';
import { listUnsealable } from '../../src/database/tableLedger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { copyRows } from '../tools/moveDatabase.ts';
import { startTestPostgres, usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';
import { readLedger, sealedIds, sealNow } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('a move in the middle of a window seals everything once, the old cluster first', {
  timeout: 120_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  // Old transaction ids are far above those of the new cluster.
  await db.query('do $$ begin for i in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$');
  const late = await openSession(url);
  await late.query('begin');
  const slow = await insertEntries(late, numbered(7));
  const first = await insertEntries(db, numbered(300));
  await sealNow(db);
  const inWindow = await insertEntries(db, numbered(20));
  expect(await openWindow(db, 'acme', 0)).toMatchObject({ kind: 'window' });
  await late.query('commit');
  await late.end();
  const after = await insertEntries(db, numbered(5));

  const target = await startTestPostgres();
  onTestFinished(() => target.remove());
  await copyRows(url, target.url);
  const moved = openDatabase(target.url, 4);
  onTestFinished(() => moved.end());
  const inNew = await insertEntries(moved, numbered(30));
  await sealNow(moved);
  expect(await sealedIds(moved)).toEqual([...first, ...inWindow, ...slow, ...after, ...inNew]);
  const { id, size } = await readLedger(moved);
  expect(size).toBe(362);
  // What comes next, here or in a transaction that is open, waits for its window.
  const open = await openSession(target.url);
  await open.query('begin');
  await insertEntries(open, numbered(1));
  await insertEntries(moved, numbered(1));
  expect(await listUnsealable(moved, id)).toEqual([]);
  await open.query('commit');
  expect(await listUnsealable(moved, id)).toEqual([]);
  await open.end();
});

test('a collector keeps the ledger in the status, and says when the database was set back', {
  timeout: 90_000,
}, async () => {
  const { url, db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(50));
  const collector = await makeCollectorProcess(url);
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  const status = () => readFile(join(collector.directory, 'acme.status.yaml'), 'utf8').catch(() => '');
  const metrics = async () =>
    (await fetch(`${collector.operations}/metrics`).catch(() => null))?.text() ?? '';
  const timeoutMs = 40_000;
  await waitFor(async () => /\n {2}ledger:\n.*\n {4}size: 50\n/.test(await status()), {
    timeoutMs,
    describe: collector.output,
  });
  expect(await metrics()).toContain('audit_export_ledger_sealed_entries_total 50');
  expect(await collector.kill('SIGTERM')).toBe(0);
  const before = await status();

  await db.query('truncate audit.ledgers, audit.ledger_bundles, audit.ledger_findings');
  collector.start();
  await waitFor(async () => (await metrics()).includes('audit_export_ledgers_stopped 1'), {
    timeoutMs,
    describe: collector.output,
  });
  await waitFor(async () => (await status()).includes('The database was set back or changed'), {
    timeoutMs,
    describe: collector.output,
  });
  const ledgerOf = (text: string) => /\n {2}ledger:\n(?: {4}.*\n)+/.exec(text)?.[0];
  expect(ledgerOf(await status())).toBe(ledgerOf(before));
  expect(collector.output()).toContain('"reason":"DatabaseSetBack"');
  await insertEntries(db, numbered(1));
  await receiver.waitFor(({ ledger }) => ledger.storedCount === 51);
});

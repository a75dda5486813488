/** Each committed entry is sealed once, whatever the order of commits, crashes and replicas. */
import { expect, onTestFinished, test } from 'vitest';
import { openWindow, sealPage } from '../../src/database/ledgerWindow.ts';
import type { Database } from '../../src/database/pool.ts';
import { Agenda, sealAll, startLedger } from '../../src/ledger/worker.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readLedger, sealedIds, sealNow, sealOptions } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(): Promise<{ url: string; db: Database }> {
  const url = await postgres.createDatabase();
  return { url, db: open(url) };
}

function open(url: string): Database {
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  return db;
}

async function idsOf(db: Database, organization = 'acme'): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select e.id::text from audit.entries e where e.organization = $1 order by e.id',
    [organization],
  );
  return rows.map(({ id }) => id);
}

const byNumber = (a: string, b: string): number => Number(a) - Number(b);
const quiet = makeLogger({ level: 'fatal' });

test('seals in the order of windows, and a late commit in a later one', async () => {
  const { url, db } = await setUp();
  const late = await openSession(url);
  onTestFinished(() => late.end());
  await late.query('begin');
  const [slow] = await insertEntries(late, [{ eventType: 'slow' }]);
  const quick = await insertEntries(db, numbered(700));
  await insertEntries(db, numbered(3, { organization: 'other' }));
  await sealNow(db);
  expect(await sealedIds(db)).toEqual(quick);
  await sealNow(db);
  expect((await readLedger(db)).size).toBe(700);
  await late.query('commit');
  const later = await insertEntries(db, numbered(2));
  await sealNow(db);
  expect(await sealedIds(db)).toEqual([...quick, slow, ...later]);
  expect((await readLedger(db)).window).toBeNull();
});

test('a crash between pin and settle, and one in between pages, seal nothing twice', async () => {
  const { db } = await setUp();
  const first = await insertEntries(db, numbered(300));
  await sealNow(db);
  const pinned = await insertEntries(db, numbered(100));
  const opened = await openWindow(db, 'acme', 0);
  expect(opened).toMatchObject({ kind: 'window', isNew: true });
  // After the window: they come in the next one.
  const after = await insertEntries(db, numbered(50));
  const again = await openWindow(db, 'acme', 0);
  expect(again).toMatchObject({ kind: 'window', isNew: false });
  await sealNow(db);
  expect(await sealedIds(db)).toEqual([...first, ...pinned, ...after]);
  // Whoever read it before has lost: neither leaves nor position move.
  if (opened.kind !== 'window') throw new Error('unreachable');
  const { ledger } = opened;
  const leaves = Buffer.alloc(56, 1);
  const parts = [{ number: 1, leaves, minId: 1n, maxId: 1n, hash: null }];
  const stale = {
    from: ledger,
    size: 301,
    state: Buffer.alloc(32 * 4),
    to: { xid: 1n, id: 1n },
    parts,
    finishes: false,
  };
  expect(await sealPage(db, stale, 0)).toEqual({ kind: 'stale' });
  expect(await sealedIds(db)).toHaveLength(450);
});

test('two at once, with writers beside them, seal each entry once', { timeout: 60_000 }, async () => {
  const { url, db } = await setUp();
  const organizations = ['acme', 'bob', 'cy'];
  const workers = Array.from({ length: 3 }, () => {
    const worker = startLedger({ db: open(url), log: quiet, name: 'x', intervalMs: 5, share: 1 });
    onTestFinished(() => worker.stop());
    return worker;
  });
  const writers = Array.from({ length: 3 }, async (_, i) => {
    const session = await openSession(url);
    for (let round = 0; round < 25; round++) {
      await session.query('begin');
      for (const organization of organizations)
        await insertEntries(session, numbered(7 + i, { organization }));
      if (round % 3 === i) await insertEntries(db, numbered(5));
      await session.query(round % 5 === 4 ? 'rollback' : 'commit');
    }
    await session.end();
  });
  await Promise.all(writers);
  for (const organization of organizations) {
    const ids = await idsOf(db, organization);
    await waitFor(async () => (await readLedger(db, organization)).size >= ids.length, { timeoutMs: 30_000 });
  }
  await Promise.all(workers.map((worker) => worker.stop()));
  for (const organization of organizations)
    expect((await sealedIds(db, organization)).sort(byNumber)).toEqual(await idsOf(db, organization));
});

test('what cannot be read is sealed without contents, and holds up nobody', async () => {
  const { db } = await setUp();
  const before = await insertEntries(db, numbered(10));
  // 40 numbers of 1e131071: 5 MB as text, so the row is larger than a page and still sealed.
  const big = `[${Array.from({ length: 40 }, () => '1e131000').join(',')}]`;
  const [large] = await insertEntries(db, [{ metadata: big }]);
  await db.query('alter table audit.entries drop constraint entry_fits');
  const huge = `[${Array.from({ length: 300 }, () => '1e131000').join(',')}]`;
  const [unreadable] = await insertEntries(db, [{ metadata: huge }]);
  const after = await insertEntries(db, numbered(10));
  await sealNow(db);
  expect(await sealedIds(db)).toEqual([...before, large, unreadable, ...after]);
  const { rows } = await db.query('select kind, entry_id::text, number::int from audit.ledger_findings');
  expect(rows).toEqual([{ kind: 'unreadable', entry_id: unreadable, number: 12 }]);
});

test('a round finds who has something, and one organization stops no other', async () => {
  const { db } = await setUp();
  for (const organization of ['ada', 'bob', 'cy']) await insertEntries(db, numbered(2, { organization }));
  const agenda = new Agenda();
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual([]);
  // Its last leaves are not there: nothing is sealed behind them.
  const { id } = await readLedger(db, 'bob');
  await db.query('delete from audit.ledger_bundles where ledger = $1', [id]);
  for (const organization of ['bob', 'cy']) await insertEntries(db, numbered(1, { organization }));
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual(['bob']);
  expect((await readLedger(db, 'bob')).size).toBe(2);
  expect((await readLedger(db, 'cy')).size).toBe(3);
  expect((await readLedger(db, 'ada')).size).toBe(2);
});

test('an organization whose retention somebody is changing is left alone meanwhile', async () => {
  const { url, db } = await setUp();
  for (const organization of ['ada', 'bob', 'cy']) await insertEntries(db, numbered(2, { organization }));
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query(`begin; select audit.hold('bob', 'Case 7')`);
  const agenda = new Agenda();
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual(['bob']);
  expect((await readLedger(db, 'cy')).size).toBe(2);
  await session.query('commit');
  agenda.failed.clear();
  await sealAll(sealOptions(db), agenda, quiet);
  expect((await readLedger(db, 'bob')).size).toBeGreaterThanOrEqual(2);
});

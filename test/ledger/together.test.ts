/** Many organizations sealed by the same statements: each exactly, and none because of another. */
import { expect, onTestFinished, test } from 'vitest';
import { openWindow, releaseLedgers } from '../../src/database/ledgerWindow.ts';
import type { Database } from '../../src/database/pool.ts';
import { Checkpoints } from '../../src/ledger/checkpoints.ts';
import { sealTogether } from '../../src/ledger/sealTogether.ts';
import { Agenda, sealAll } from '../../src/ledger/worker.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readLedger, sealedIds, sealNow, sealOptions } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const quiet = makeLogger({ level: 'fatal' });
const small = Array.from({ length: 20 }, (_, n) => `small-${n} '"$$\\`);

async function setUp(organizations: readonly string[]) {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  for (const organization of organizations) {
    await insertEntries(db, numbered(3, { organization }));
    await sealNow(db, organization);
  }
  return { url, db };
}

test('windows of many are sealed at once, with what was committed late', async () => {
  const { url, db } = await setUp(small);
  const late = await openSession(url);
  onTestFinished(() => late.end());
  await late.query('begin');
  await insertEntries(late, numbered(1, { organization: small[3] ?? '' }));
  for (const [n, organization] of small.entries()) await insertEntries(db, numbered(n + 1, { organization }));
  const first = await sealTogether([...small, 'nobody'], sealOptions(db));
  expect(first).toEqual(new Map([...small, 'nobody'].map((organization) => [organization, 'done'])));
  await late.query('commit');
  const second = await sealTogether(small, sealOptions(db));
  expect([...second.values()]).toEqual(small.map(() => 'done'));
  for (const [n, organization] of small.entries()) {
    expect(await sealedIds(db, organization)).toHaveLength(3 + n + 1 + (n === 3 ? 1 : 0));
    expect((await readLedger(db, organization)).window).toBeNull();
  }
  expect(await claimed(db)).toEqual([]);
});

test('what is wrong with one, or too much, leaves it to a turn of its own', { timeout: 60_000 }, async () => {
  const odd = ['claimed', 'damaged', 'large', 'many', 'pinned', 'stopped', 'unreadable'];
  const all = [...small, ...odd].sort();
  const { db } = await setUp(all);
  for (const organization of all) await insertEntries(db, numbered(2, { organization }));
  await openWindow(db, 'claimed', 60_000);
  await openWindow(db, 'pinned', 0);
  await insertEntries(db, numbered(40, { organization: 'many' }));
  await insertEntries(db, [
    { organization: 'large', metadata: JSON.stringify({ text: 'x'.repeat(70_000) }) },
  ]);
  const damaged = await readLedger(db, 'damaged');
  await db.query('delete from audit.ledger_bundles where ledger = $1', [damaged.id]);
  await db.query(`update audit.ledgers set stopped = '{}' where organization = 'stopped'`);
  await db.query('alter table audit.entries drop constraint entry_fits');
  const huge = `[${Array.from({ length: 300 }, () => '1e131000').join(',')}]`;
  await insertEntries(db, [{ metadata: huge, organization: 'unreadable' }]);
  const agenda = new Agenda();
  const expectSmall = async () => {
    for (const organization of small) expect(await sealedIds(db, organization)).toHaveLength(5);
  };
  await sealAll(sealOptions(db), agenda, quiet);
  await expectSmall();
  expect([...agenda.left].sort()).toEqual(['claimed', 'damaged']);
  expect(await sealedIds(db, 'many')).toHaveLength(45);
  expect(await sealedIds(db, 'large')).toHaveLength(6);
  expect([...agenda.large.keys()].sort()).toEqual(['damaged', 'large', 'many', 'pinned', 'unreadable']);
  expect(await sealedIds(db, 'pinned')).toHaveLength(5);
  expect(await sealedIds(db, 'unreadable')).toHaveLength(6);
  expect((await readLedger(db, 'stopped')).size).toBe(3);
  expect((await readLedger(db, 'damaged')).size).toBe(3);
  await db.query('update audit.ledgers set claimed_until = null');
  agenda.failed.clear();
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual(['damaged']);
  expect(await sealedIds(db, 'claimed')).toHaveLength(5);
});

test('those without a ledger begin one, also where the retention of another is being changed', async () => {
  const { url, db } = await setUp(small.slice(0, 2));
  for (const organization of small) await insertEntries(db, numbered(2, { organization }));
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select audit.hold($1, 'Case 7')`, [small[7]]);
  const agenda = new Agenda();
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual([small[7]]);
  await session.query('commit');
  for (const organization of small) await insertEntries(db, numbered(1, { organization }));
  const turns = await sealTogether(small, sealOptions(db));
  expect(turns).toEqual(new Map(small.map((organization) => [organization, 'done'])));
  for (const organization of small)
    expect((await sealedIds(db, organization)).length).toBeGreaterThanOrEqual(3);
});

test('a row that somebody has locked keeps nobody waiting', async () => {
  const { url, db } = await setUp(small);
  for (const organization of small) await insertEntries(db, numbered(1, { organization }));
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query('select from audit.ledgers where organization = $1 for update', [small[7]]);
  const turns = await sealTogether(small, sealOptions(db));
  expect(turns).toEqual(
    new Map(small.map((organization, n) => [organization, n === 7 ? 'claimed' : 'done'])),
  );
  await session.query('rollback');
  expect(await sealTogether([small[7] ?? '', small[8] ?? ''], sealOptions(db))).toEqual(
    new Map([
      [small[7], 'done'],
      [small[8], 'done'],
    ]),
  );
});

test('one whose row is locked until a person ends a transaction keeps nobody waiting in turns of their own', {
  timeout: 20_000,
}, async () => {
  const [locked = '', ...others] = small.slice(0, 4);
  const { url, db } = await setUp([locked, ...others]);
  for (const organization of [locked, ...others]) await insertEntries(db, numbered(1, { organization }));
  for (const organization of [locked, ...others]) await openWindow(db, organization, 60_000);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select audit.restart_ledger($1, 'Case 7')`, [locked]);
  await releaseLedgers(db, [locked, ...others]);
  expect(await claimed(db)).toEqual([locked]);
  const agenda = new Agenda();
  for (const organization of [locked, ...others]) agenda.large.set(organization, Number.POSITIVE_INFINITY);
  await sealAll(sealOptions(db), agenda, quiet);
  expect([...agenda.left]).toEqual([locked]);
  expect(agenda.failed.keys()).toEqual([]);
  for (const organization of others) expect(await sealedIds(db, organization)).toHaveLength(4);
});

async function claimed(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ organization: string }>(
    'select organization from audit.ledgers where claimed_until is not null',
  );
  return rows.map(({ organization }) => organization);
}

/** From now on, every change of these organizations' ledgers ends with that error. */
async function refuse(db: Database, organizations: readonly string[], sqlState: string): Promise<void> {
  await db.query(`create table public.ill as select organization from audit.ledgers where false;
    create function public.refuse() returns trigger language plpgsql as $$ begin
      if exists (select from public.ill i where i.organization = new.organization) then
        raise exception using errcode = '${sqlState}';
      end if;
      return new; end $$;
    create trigger refuse before update on audit.ledgers for each row execute function public.refuse()`);
  await db.query('insert into public.ill select unnest($1::text[])', [organizations]);
}

test.each(['57014', '53200', '58030', '22P02'])(
  'what some organizations meet, and all might (%s), holds up no other for long',
  async (sqlState) => {
    const { db } = await setUp(small);
    const ill = [small[0] ?? '', small[10] ?? ''];
    const others = small.filter((organization) => !ill.includes(organization));
    const checkpoints = (tellIntervalMs: number) =>
      new Checkpoints({
        db,
        log: quiet,
        signing: { name: 'audit.example.com', keys: [] },
        readClaims: async () => ({ organizations: small, keepers: [], claims: [] }),
        checkpointIntervalMs: 0,
        tellIntervalMs,
      });
    const { signal } = new AbortController();
    await checkpoints(3_600_000).run(signal, 1);
    for (const organization of small) await insertEntries(db, numbered(1, { organization }));
    await refuse(db, ill, sqlState);
    const agenda = new Agenda();
    const outcomes: string[] = [];
    for (const _ of [1, 2, 3])
      await sealAll(sealOptions(db), agenda, quiet).then(
        () => outcomes.push('done'),
        () => outcomes.push('failed'),
      );
    // The first round cannot know that it is not the whole database.
    expect(outcomes).toEqual([sqlState === '22P02' ? 'done' : 'failed', 'done', 'done']);
    expect([...agenda.left].sort()).toEqual(ill);
    expect(agenda.failed.keys().sort()).toEqual(ill);
    for (const organization of others) expect(await sealedIds(db, organization)).toHaveLength(4);

    const telling = checkpoints(0);
    for (const _ of [1, 2, 3, 4]) await telling.run(signal, 1).catch(() => {});
    expect(small.filter((organization) => telling.statusOf(organization, null)?.size === 4)).toEqual(others);
    const told = async () =>
      (
        await db.query<{ organization: string }>(
          `select distinct organization from audit.entries where event_type = 'audit_log.sealed'`,
        )
      ).rows.map(({ organization }) => organization);
    expect((await told()).sort()).toEqual([...others].sort());

    await db.query('drop trigger refuse on audit.ledgers');
    agenda.failed.clear();
    await sealAll(sealOptions(db), agenda, quiet);
    for (const organization of ill) expect(await sealedIds(db, organization)).toHaveLength(4);
    const again = checkpoints(0);
    await again.run(signal, 1);
    for (const organization of ill) expect(again.statusOf(organization, null)?.size).toBe(4);
    expect(await told()).toHaveLength(small.length);
  },
);

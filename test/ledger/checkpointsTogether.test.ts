/** Checkpoints of many ledgers by the same statements: each is what it would be alone, and none waits for another. */
import { expect, onTestFinished, test } from 'vitest';
import { mostBundlesEach } from '../../src/database/ledgerBundles.ts';
import { readLedgerViews } from '../../src/database/ledgerCheckpoints.ts';
import type { Database } from '../../src/database/pool.ts';
import { BundleTree } from '../../src/ledger/bundleTree.ts';
import type { Claim } from '../../src/ledger/checkpointLedgers.ts';
import { Checkpoints } from '../../src/ledger/checkpoints.ts';
import { mostTogether, sealTogether } from '../../src/ledger/sealTogether.ts';
import { tileWidth } from '../../src/ledger/tiles.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readLedger, sealedIds, sealNow, sealOptions } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

/** At and around the ends of bundles, and one that is too large to be read with others. */
const sizes = [1, 2, 255, 256, 257, 511, 512, 600, tileWidth * mostBundlesEach + 1];
const organizations = sizes.map((size) => `of-${size}`);

async function write(db: Database, organization: string, count: number): Promise<void> {
  await insertEntries(db, numbered(count, { organization }));
  await sealNow(db, organization);
}

/** One look of a process. Returns how many statements it took. */
async function look(checkpoints: Checkpoints, db: Database): Promise<number> {
  let statements = 0;
  const counting = (): void => void statements++;
  db.on('acquire', counting);
  await checkpoints.run(new AbortController().signal, 1);
  db.off('acquire', counting);
  return statements;
}

function start(db: Database, claims: readonly Claim[] = [], tellIntervalMs = 3_600_000): Checkpoints {
  return new Checkpoints({
    db,
    log: makeLogger({ level: 'fatal' }),
    signing: { name: 'audit.example.com', keys: [] },
    readClaims: async () => ({ organizations, keepers: [], claims }),
    checkpointIntervalMs: 0,
    tellIntervalMs,
  });
}

async function checkpointed(db: Database): Promise<Record<string, number | undefined>> {
  const views = await readLedgerViews(db, organizations);
  return Object.fromEntries(views.map(({ organization, checkpoint }) => [organization, checkpoint?.size]));
}

/** The root that the leaves make, which are compared with the bundles and the row. */
async function expectRoots(db: Database): Promise<Claim[]> {
  const views = await readLedgerViews(db, organizations);
  return Promise.all(
    views.map(async ({ organization, origin, checkpoint }) => {
      await sealedIds(db, organization);
      const { size, state } = await readLedger(db, organization);
      const root = BundleTree.decode(size, state)?.root() ?? [];
      expect(checkpoint).toMatchObject({ size, root: Buffer.from(root).toString('base64') });
      return {
        organization,
        origin,
        size,
        root: checkpoint?.root ?? '',
        keeper: `the status of ${organization}`,
      };
    }),
  );
}

test('many ledgers, of all sizes, and those that are locked or damaged among them', {
  timeout: 60_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  for (const [n, size] of sizes.entries()) await write(db, organizations[n] ?? '', size);

  const first = start(db);
  // Claims are none; due, rows, bundles, the large one's own, storing, what is untold, views.
  expect(await look(first, db)).toBeLessThan(sizes.length);
  const claims = await expectRoots(db);
  expect(claims).toHaveLength(sizes.length);

  // One grows across the end of its bundle, one stays; a process that has just started compares all with what statuses say.
  for (const organization of organizations.slice(1)) await write(db, organization, 3);
  const second = start(db, claims);
  expect(await look(second, db)).toBeLessThan(sizes.length + 4);
  await expectRoots(db);

  const [, , locked = '', damaged = '', forged = ''] = organizations;
  for (const organization of organizations) await write(db, organization, 1);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query('select from audit.ledgers where organization = $1 for update', [locked]);
  await db.query('delete from audit.ledger_bundles where ledger = $1', [(await readLedger(db, damaged)).id]);
  await look(
    start(
      db,
      claims.map((claim) => (claim.organization === forged ? { ...claim, root: 'AAAA' } : claim)),
    ),
    db,
  );
  const behind = [locked, damaged, forged];
  const expected = sizes.map((size, n) => {
    const organization = organizations[n] ?? '';
    return [organization, size + (n === 0 ? 1 : 4) - (behind.includes(organization) ? 1 : 0)];
  });
  expect(await checkpointed(db)).toEqual(Object.fromEntries(expected));
  const stops = (await readLedgerViews(db, organizations)).flatMap(({ organization, stopped }) =>
    stopped ? [[organization, stopped.message]] : [],
  );
  expect(Object.fromEntries(stops)).toEqual({
    [damaged]: expect.stringContaining('leaves of the ledger are missing'),
    [forged]: expect.stringContaining('another root there'),
  });
  await session.query('rollback');
  await look(start(db), db);
  expect((await checkpointed(db))[locked]).toBe((await readLedger(db, locked)).size);
});

test('one that is locked keeps nobody waiting, when it alone is due or is to be told of', {
  timeout: 20_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  const [locked = '', other = ''] = organizations;
  for (const organization of [locked, other]) await write(db, organization, 3);
  await look(start(db), db);
  await write(db, locked, 1);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query(`select audit.restart_ledger($1, 'Case 7')`, [locked]);
  const checkpoints = start(db, [], 0);
  await look(checkpoints, db);
  const told = async () =>
    (
      await db.query<{ organization: string }>(
        `select organization from audit.entries where event_type = 'audit_log.sealed' order by id`,
      )
    ).rows.map(({ organization }) => organization);
  expect(await told()).toEqual([other]);
  expect(await checkpointed(db)).toEqual({ [locked]: 3, [other]: 3 });
  await session.query('rollback');
  await look(checkpoints, db);
  expect(await told()).toEqual([other, locked]);
  expect(await checkpointed(db)).toEqual({ [locked]: 4, [other]: 3 });
});

test('one that is to be stopped while it is locked is stopped afterwards, and keeps nobody waiting', {
  timeout: 20_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  const [locked = '', other = ''] = organizations;
  for (const organization of [locked, other]) await write(db, organization, 3);
  await look(start(db), db);
  const claims = (await expectRoots(db)).map((claim) =>
    claim.organization === locked ? { ...claim, root: 'AAAA' } : claim,
  );
  await write(db, other, 1);
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await session.query('begin');
  await session.query('select from audit.ledgers where organization = $1 for update', [locked]);
  const checkpoints = start(db, claims);
  await look(checkpoints, db);
  const isStopped = async () => (await readLedgerViews(db, [locked])).map(({ stopped }) => stopped !== null);
  expect(await isStopped()).toEqual([false]);
  expect(checkpoints.statusOf(locked, null)).toBeNull();
  expect(checkpoints.statusOf(other, null)).toMatchObject({ size: 4 });
  await session.query('rollback');
  await look(checkpoints, db);
  expect(await isStopped()).toEqual([true]);
});

test('each ledger is found by its id, also before the first ANALYZE', { timeout: 60_000 }, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  const many = Array.from({ length: 5_000 }, (_, n) => `many-${n}`);
  await insertEntries(
    db,
    many.map((organization) => ({ organization })),
  );
  for (let at = 0; at < many.length; at += mostTogether)
    await sealTogether(many.slice(at, at + mostTogether), sealOptions(db));
  // A connection tells what it has read when it has ended.
  const readRows = async (): Promise<number> => {
    await waitFor(
      async () =>
        (await session.query('select from pg_stat_activity where datname = current_database()')).rowCount ===
        1,
    );
    const { rows } = await session.query<{ read: string }>(
      `select seq_tup_read + idx_tup_fetch as read from pg_stat_user_tables where relname = 'ledgers'`,
    );
    return Number(rows[0]?.read);
  };
  const session = await openSession(url);
  onTestFinished(() => session.end());
  await db.end();
  const again = openDatabase(url, 4);
  const before = await readRows();
  await look(start(again), again);
  await again.end();
  const read = (await readRows()) - before;
  expect(read).toBeGreaterThan(many.length);
  expect(read).toBeLessThan(10 * many.length);
});

/** What is signed is what is committed, and a database that was set back is found by whoever keeps a checkpoint of it. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { readLedgers, readLedgerViews, readNote } from '../../src/database/ledgerCheckpoints.ts';
import type { Database } from '../../src/database/pool.ts';
import { openCheckpoint } from '../../src/ledger/checkpoint.ts';
import type { Claim } from '../../src/ledger/checkpointLedgers.ts';
import { Checkpoints } from '../../src/ledger/checkpoints.ts';
import { type LedgerKey, parseLedgerKeys } from '../../src/ledger/ledgerKey.ts';
import { parseVerifierKey, verifierKey } from '../../src/ledger/note.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readLedger, sealedIds, sealNow } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const quiet = makeLogger({ level: 'silent' as never });

async function setUp(): Promise<Database> {
  const db = openDatabase(await postgres.createDatabase(), 4);
  onTestFinished(() => db.end());
  return db;
}

function makeKey(): LedgerKey {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' });
  const parsed = parseLedgerKeys(String(pem));
  if (parsed.kind !== 'keys' || !parsed.keys[0]) throw new Error('no key');
  return parsed.keys[0];
}

interface Run {
  readonly keys?: readonly LedgerKey[];
  readonly claims?: readonly Claim[];
  readonly tellIntervalMs?: number;
  readonly checkpoints?: Checkpoints;
}

/** One look, by a process that has just started. */
async function check(db: Database, { keys = [], claims = [], tellIntervalMs = 3_600_000 }: Run = {}) {
  const checkpoints = new Checkpoints({
    db,
    log: quiet,
    signing: { name: 'audit.example.com', keys },
    readClaims: async () => ({ organizations: ['acme'], keepers: [], claims }),
    checkpointIntervalMs: 0,
    tellIntervalMs,
  });
  await checkpoints.run(new AbortController().signal, 1);
  return checkpoints;
}

/** What the status of an export keeps of the ledger as it is. */
async function claimOf(db: Database): Promise<Claim> {
  const [view] = await readLedgerViews(db, ['acme']);
  if (!view?.checkpoint) throw new Error('there is no checkpoint');
  return {
    organization: 'acme',
    origin: view.origin,
    keeper: 'the status of default/acme',
    ...view.checkpoint,
  };
}

async function stopOf(db: Database): Promise<string> {
  const [view] = await readLedgerViews(db, ['acme']);
  return view?.stopped?.message ?? '';
}

/** As a restore of an earlier backup does: `keep` remembers, and what it returns sets back. */
async function backUp(db: Database): Promise<() => Promise<void>> {
  await db.query('create table public.l as table audit.ledgers');
  await db.query('create table public.b as table audit.ledger_bundles');
  await db.query('create table public.e as table audit.entries');
  return async () => {
    await db.query('truncate audit.ledgers, audit.ledger_bundles, audit.ledger_findings, audit.entries');
    await db.query('insert into audit.ledgers select * from public.l');
    await db.query('insert into audit.ledger_bundles select * from public.b');
    await db.query('insert into audit.entries overriding system value select * from public.e');
  };
}

test('signs what is committed, by every key, and tells of it once an hour at most', async () => {
  const db = await setUp();
  await insertEntries(db, numbered(300));
  await sealNow(db);
  // Without a key: sealed, and not signed.
  await check(db);
  expect((await readNote(db, 'acme'))?.note.toString()).toMatch(/^audit\.example\.com\/.+\n300\n.{44}\n\n$/);
  const keys = [makeKey(), makeKey()];
  await check(db, { keys, tellIntervalMs: 0 });
  const [view] = await readLedgerViews(db, ['acme']);
  const known = keys.flatMap((key) => parseVerifierKey(verifierKey(view?.origin ?? '', key.publicKey)) ?? []);
  const kept = await readNote(db, 'acme');
  const opened = openCheckpoint(kept?.note ?? Buffer.alloc(0), known);
  if (opened.kind !== 'opened') throw new Error(opened.problem);
  expect(opened.signers).toHaveLength(2);
  expect(opened.checkpoint).toMatchObject({ origin: view?.origin, size: 300 });
  expect(Buffer.from(opened.checkpoint.root).toString('base64')).toBe(view?.checkpoint?.root);

  const told = async () =>
    (await db.query(`select metadata from audit.entries where event_type = 'audit_log.sealed'`)).rows;
  expect(await told()).toMatchObject([
    {
      metadata: {
        origin: view?.origin,
        size: 300,
        root: view?.checkpoint?.root,
        signatures: [{ name: view?.origin }, {}],
      },
    },
  ]);
  // Only that entry is new, and then another one within the hour.
  await sealNow(db);
  await check(db, { keys, tellIntervalMs: 0 });
  expect(await told()).toHaveLength(1);
  await insertEntries(db, numbered(1));
  await sealNow(db);
  await check(db, { keys });
  expect(await told()).toHaveLength(1);
  await check(db, { keys, tellIntervalMs: 0 });
  expect(await told()).toHaveLength(2);
  expect((await readLedger(db)).size).toBe(302);
});

test('a set-back database is found by its size, and by its root once it has grown past that', async () => {
  const db = await setUp();
  const first = await insertEntries(db, numbered(300));
  await sealNow(db);
  await check(db);
  const setBack = await backUp(db);
  await insertEntries(db, numbered(10));
  await sealNow(db);
  await check(db);
  const claim = await claimOf(db);
  expect(claim.size).toBe(310);
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toBe('');

  await setBack();
  const checkpoints = await check(db, { claims: [claim] });
  expect(await stopOf(db)).toContain('the status of default/acme names 310 sealed entries');
  expect(await stopOf(db)).toContain('and the database has 300');
  expect(checkpoints.statusOf('acme', null)).toBeNull();
  // Nothing is sealed or signed until a person acts.
  await insertEntries(db, numbered(50));
  await expect(sealNow(db, 'acme', { turnMs: 50 })).rejects.toThrow('stopped');

  await setBack();
  await insertEntries(db, numbered(50));
  await sealNow(db);
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toContain('the database has another root there');

  // A person begins a new one, which names the old.
  const { rows } = await db.query(`select audit.restart_ledger('acme', 'Restored on Monday') as id`);
  await sealNow(db);
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toBe('');
  expect((await claimOf(db)).origin).toContain(rows[0].id);
  expect((await sealedIds(db)).slice(0, 300)).toEqual(first);
  const restarted = await db.query(
    `select metadata from audit.entries where event_type = 'audit_log.ledger_restarted'`,
  );
  expect(restarted.rows[0].metadata).toMatchObject({
    reason: 'Restored on Monday',
    follows: { origin: claim.origin, size: 300 },
    stopped: { reason: 'DatabaseSetBack' },
  });
});

/** A process that lives on while the database is set back, whose statuses say what `statusOf` answers. */
function liveOn(db: Database, { knows = true }: { readonly knows?: boolean } = {}) {
  const own = 'the status of default/acme';
  const claims: Claim[] = [];
  const checkpoints = new Checkpoints({
    db,
    log: quiet,
    signing: { name: 'audit.example.com', keys: [] },
    readClaims: async () => ({
      organizations: ['acme'],
      keepers: [own, ...claims.map(({ keeper }) => keeper)],
      claims: [...claims],
    }),
    checkpointIntervalMs: 0,
  });
  const publish = (n: number, keeper: string): void => {
    const before = claims[n] ?? null;
    // What stands in a directory is not known to who writes it.
    const status = checkpoints.statusOf('acme', { keeper, origin: knows ? (before?.origin ?? null) : null });
    const isOlder = before !== null && before.origin === status?.origin && before.size > status.size;
    if (status && !isOlder) claims[n] = { organization: 'acme', keeper, ...status };
  };
  return {
    /** Then statuses are written. */
    async look(): Promise<void> {
      await checkpoints.run(new AbortController().signal, 1);
      for (const [n, { keeper }] of claims.entries()) publish(n, keeper);
      if (claims.length === 0) publish(0, own);
    },
    /** Another config is there from now on, and its status is written before the next look. */
    read(claim: Claim): void {
      claims.push(claim);
      publish(claims.length - 1, claim.keeper);
    },
    /** Its config is gone. */
    forget({ keeper }: Claim): void {
      claims.splice(
        claims.findIndex((claim) => claim.keeper === keeper),
        1,
      );
    },
    checkpoints,
  };
}

test('a database that is set back under a process is found, though nothing new comes', async () => {
  const db = await setUp();
  await insertEntries(db, numbered(300));
  await sealNow(db);
  const first = liveOn(db);
  await first.look();
  const setBack = await backUp(db);
  await insertEntries(db, numbered(10));
  await sealNow(db);
  await first.look();
  await setBack();
  await first.look();
  await first.look();
  expect(await stopOf(db)).toContain('names 310 sealed entries');

  // What is lost is that a person has begun a new one.
  await setBack();
  const second = liveOn(db);
  await second.look();
  await second.look();
  await db.query(`select audit.restart_ledger('acme', 'Case 7')`);
  await sealNow(db);
  for (const _ of [1, 2, 3]) await second.look();
  expect(await stopOf(db)).toBe('');
  await setBack();
  await second.look();
  await second.look();
  expect(await stopOf(db)).toContain('which the database does not have');

  // Or that there was a ledger at all.
  await setBack();
  const third = liveOn(db);
  await third.look();
  await third.look();
  await db.query('truncate audit.ledgers, audit.ledger_bundles, audit.ledger_findings, audit.entries');
  await third.look();
  await third.look();
  expect(await stopOf(db)).toContain('which the database does not have');
});

test.each([true, false])(
  'a status that is read later than others of the same ledger is compared, too (%s: its writer knows it)',
  async (knows) => {
    const db = await setUp();
    await insertEntries(db, numbered(300));
    await sealNow(db);
    const setBack = await backUp(db);
    await insertEntries(db, numbered(10));
    await sealNow(db);
    await check(db);
    const lost = { ...(await claimOf(db)), keeper: 'the status of other/acme' };
    await setBack();
    await insertEntries(db, numbered(20));
    await sealNow(db);
    const process = liveOn(db, { knows });
    await process.look();
    await process.look();
    expect(await stopOf(db)).toBe('');
    // One that fits is taken, and what comes back under its name is another one.
    const fitting = { ...(await claimOf(db)), keeper: lost.keeper };
    process.read(fitting);
    await process.look();
    process.forget(fitting);
    await process.look();
    expect(await stopOf(db)).toBe('');
    process.read(lost);
    expect(process.checkpoints.statusOf('acme', null)?.size).toBeGreaterThan(lost.size);
    await process.look();
    expect(await stopOf(db)).toContain('the status of other/acme names 310 sealed entries');
  },
);

test('a ledger that was replaced, and one that was forged as a whole, are found', async () => {
  const db = await setUp();
  await insertEntries(db, numbered(300));
  await sealNow(db);
  await check(db);
  const claim = await claimOf(db);
  const original = await backUp(db);

  // Replaced: a DBA throws it away, and the next one seals what he left.
  await db.query('truncate audit.ledgers, audit.ledger_bundles, audit.ledger_findings');
  await db.query('delete from audit.entries where id = 7');
  await sealNow(db);
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toContain('which the database does not have');

  // The same, and he only ends it.
  await original();
  await db.query('update audit.ledgers set ended_at = now()');
  await db.query('delete from audit.entries where id = 7');
  await sealNow(db);
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toContain('which the ledger in force does not follow');

  // Forged: row, bundles, state and the checkpoint in the database all fit each other.
  await original();
  const { id } = await readLedger(db);
  await db.query('delete from audit.entries where id = 7');
  await db.query('delete from audit.ledger_bundles');
  await db.query(
    `update audit.ledgers set size = 0, state = '', settled = '3:3:', note = null, note_size = null, note_root = null, noted_at = null`,
  );
  await insertEntries(db, numbered(5));
  await sealNow(db);
  await check(db, { claims: [claim] });
  expect((await readLedger(db)).id).toBe(id);
  expect(await stopOf(db)).toContain('another root there');

  // The tail cut off, with a checkpoint in the database that knows of it.
  await original();
  await db.query('delete from audit.ledger_bundles where number = 1');
  await check(db, { claims: [claim] });
  expect(await stopOf(db)).toContain('leaves of the ledger are missing');
  const { rows } = await db.query('select kind from audit.ledger_findings where resolved_at is null');
  expect(rows).toEqual([{ kind: 'history' }]);
});

test('a ledger that cannot be checked holds up no other', async () => {
  const db = await setUp();
  for (const organization of ['acme', 'other']) {
    await insertEntries(db, numbered(3, { organization }));
    await sealNow(db, organization);
  }
  await db.query(`update audit.ledgers set name = 'no name', is_signed = true where organization = 'acme'`);
  const { id } = await readLedger(db);
  const claim = { origin: `audit.example.com/${id}`, size: 1, root: '', keeper: 'a manifest that is wrong' };
  const keys = [makeKey()];
  await check(db, { keys, claims: [{ ...claim, organization: 'x'.repeat(300) }] });
  expect((await readNote(db, 'other'))?.size).toBe(3);
  expect(await readNote(db, 'acme')).toBeNull();
  await db.query(`update audit.ledgers set name = 'audit.example.com' where organization = 'acme'`);
  await check(db, { keys });
  expect((await readNote(db, 'acme'))?.size).toBe(3);
});

test('a collector without a key leaves what one with a key has signed, for an hour', async () => {
  const db = await setUp();
  await insertEntries(db, numbered(3));
  await sealNow(db);
  await check(db, { keys: [makeKey()] });
  const claims = [await claimOf(db)];
  await insertEntries(db, numbered(3));
  await sealNow(db);
  await check(db, { claims });
  await check(db);
  const view = async () => (await readLedgerViews(db, ['acme']))[0];
  expect(await view()).toMatchObject({ isSigned: true, checkpoint: { size: 3 } });
  // Nobody has a key any more.
  await db.query(`update audit.ledgers set noted_at = now() - interval '61 minutes'`);
  await check(db);
  expect(await view()).toMatchObject({ isSigned: false, checkpoint: { size: 6 } });
});

test('what stands wrong is counted over all organizations, whichever are asked for', async () => {
  const db = await setUp();
  for (const organization of ['acme', 'globex']) {
    await insertEntries(db, numbered(3, { organization }));
    await sealNow(db, organization);
  }
  const read = async (...organizations: string[]) => {
    const { views, counts } = await readLedgers(db, organizations);
    return { organizations: views.map(({ organization }) => organization), counts };
  };
  expect(await read()).toEqual({ organizations: [], counts: { stopped: 0, findings: 0 } });
  await db.query(
    `insert into audit.ledger_findings (ledger, entry_id, kind, number)
     select id, 1, kind, 1 from audit.ledgers, unnest(array['changed', 'unreadable']) kind where organization = 'globex'`,
  );
  await db.query(
    `update audit.ledgers set stopped = '{"reason": "DatabaseSetBack", "message": "It was."}' where organization = 'acme'`,
  );
  const counts = { stopped: 1, findings: 1 };
  expect(await read()).toEqual({ organizations: [], counts });
  expect(await read('acme')).toEqual({ organizations: ['acme'], counts });
});

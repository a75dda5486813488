/** `verify --table`: what somebody with all rights does to a sealed table is named, entry by entry, and nothing else is. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readNote } from '../../src/database/ledgerCheckpoints.ts';
import type { Database } from '../../src/database/pool.ts';
import { deleteExpired } from '../../src/database/retention.ts';
import { checkpointLedgers } from '../../src/ledger/checkpointLedgers.ts';
import { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { sealOrganization } from '../../src/ledger/sealOrganization.ts';
import { hashLeaves, leafBytes } from '../../src/ledger/tiles.ts';
import { CompactRange, hashBytes } from '../../src/ledger/tree.ts';
import { readLedger, sealNow, sealOptions } from '../ledger/ledgers.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { runCommand } from '../tools/runCommand.ts';
import { runVerifyTable } from './runVerify.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const key = new LedgerKey(generateKeyPairSync('ed25519').privateKey);

interface Setup {
  readonly db: Database;
  readonly url: string;
  /** Seals what is there, and makes a checkpoint of it. */
  seal(keys?: readonly LedgerKey[]): Promise<void>;
  verify(...args: string[]): Promise<{ code: number; said: string[] }>;
}

async function setUp(): Promise<Setup> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 8);
  onTestFinished(() => db.end());
  return {
    db,
    url,
    seal: async (keys = [key]) => {
      await sealNow(db);
      await checkpointLedgers(db, [(await readLedger(db)).id], new Map(), {
        name: 'audit.example.com',
        keys,
      });
    },
    verify: (...args) => runVerifyTable(db, 'acme', [key], args),
  };
}

const uidOf = async (db: Database, id: string): Promise<string> =>
  (await db.query('select uid from audit.entries where id = $1', [id])).rows[0].uid;

test('a table is proven, with late commits and what came in since', async () => {
  const { db, seal, verify } = await setUp();
  await insertEntries(db, numbered(700));
  await insertEntries(db, numbered(3, { organization: 'other' }));
  await seal();
  // Sealed behind the checkpoint, and not sealed at all.
  await insertEntries(db, numbered(20));
  await sealNow(db);
  await insertEntries(db, numbered(5));
  expect(await verify()).toEqual({
    code: 0,
    said: [
      expect.stringMatching(/^Ledger audit\.example\.com\/\S+: 700 sealed entries, signed by audit/),
      '20 newer entries are sealed behind this checkpoint, and not judged.',
      'the table: the entries themselves.',
      '700 records were read.',
      'Proven: each of the 700 sealed entries is here as it was sealed, and nothing else is.',
    ],
  });
});

test('a table is proven in the middle of a window, whose sealed part is behind a checkpoint already', async () => {
  const { db, verify } = await setUp();
  const ids = await insertEntries(db, numbered(5_000));
  const interrupted = new AbortController();
  await sealOrganization(
    'acme',
    sealOptions(db, { signal: interrupted.signal, onSealed: () => interrupted.abort() }),
  );
  const { id, size, window } = await readLedger(db);
  expect(window).not.toBeNull();
  await checkpointLedgers(db, [id], new Map(), { name: 'audit.example.com', keys: [key] });
  const { code, said } = await verify();
  expect(said.at(-1)).toMatch(/^Proven: each of the [\d,]+ sealed entries is here/);
  expect(code).toBe(0);
  await db.query('delete from audit.entries where id = $1', [ids[size - 1]]);
  expect((await verify()).said).toContainEqual(
    expect.stringMatching(new RegExp(`^Entry number ${size.toLocaleString('en-US')} .* is missing\\.$`)),
  );
});

test('each kind of tampering with rows is named with its entry', async () => {
  const { db, seal, verify } = await setUp();
  const ids = await insertEntries(db, numbered(600));
  await seal();
  const [moved, slipped] = [await uidOf(db, ids[400] ?? ''), '00000000-0000-4000-8000-000000000001'];
  const uids = await Promise.all([3, 299, 511].map((at) => uidOf(db, ids[at] ?? '')));
  await db.query(`update audit.entries set metadata = '{"n": 0}' where id = $1`, [ids[3]]);
  await db.query(
    `update audit.entries set occurred_at = occurred_at + interval '1 microsecond' where id = $1`,
    [ids[299]],
  );
  await db.query(`update audit.entries set organization = 'other' where id = $1`, [ids[400]]);
  await db.query('delete from audit.entries where id = $1', [ids[511]]);
  const { rows } = await db.query(
    `insert into audit.entries (organization, event_type, metadata) values ('acme', 'forged', '{}') returning id::text`,
  );
  await db.query(
    `update audit.entries e set xid = o.xid, uid = $3 from audit.entries o where e.id = $1 and o.id = $2`,
    [rows[0].id, ids[10], slipped],
  );
  const name = (number: number, uid: string | undefined): string =>
    `Entry number ${number} (id ${ids[number - 1]}, uid ${uid})`;
  const { code, said } = await verify();
  expect(code).toBe(1);
  // There is no filter to speak of.
  expect(said.at(-1)).toBe('Not proven: 5 findings.');
  expect(said.slice(1, -3)).toEqual([
    `${name(4, uids[0])} is not as it was sealed: the table.`,
    `${name(300, uids[1])} is not as it was sealed: the table.`,
    'the table: the entries themselves.',
    `${name(401, moved)} is missing.`,
    `${name(512, uids[2])} is missing.`,
    `A record that is not sealed (id ${rows[0].id}, uid ${slipped}): the table. It slipped in, or is newer than the checkpoint.`,
  ]);
  const kinds = (await verify('--json')).said.map((text) => JSON.parse(text).kind);
  expect(kinds).toEqual(['changed', 'changed', 'missing', 'missing', 'not-sealed', 'summary']);
});

test('a row that no window will ever show is named, and so is a sealed one that was put there', async () => {
  const { db, seal, verify } = await setUp();
  const ids = await insertEntries(db, numbered(20));
  await seal();
  const forged = await insertEntries(db, numbered(2));
  const [future, elsewhere] = [...forged, ids[3], ids[4]];
  await db.query(`update audit.entries set xid = '999999999' where id = any ($1)`, [[future, ids[3]]]);
  await db.query(`update audit.entries set cluster = 7 where id = any ($1)`, [[elsewhere, ids[4]]]);
  const named = async (): Promise<string[]> =>
    (await verify('--json')).said
      .map((text) => JSON.parse(text))
      .map(({ kind, entryId, entry }) => `${kind} ${entryId ?? entry?.entryId ?? ''}`);
  expect((await named()).sort()).toEqual(
    [
      `missing ${ids[3]}`,
      `missing ${ids[4]}`,
      ...[future, elsewhere, ids[3], ids[4]].map((id) => `not-sealed ${id}`),
      'summary ',
    ].sort(),
  );
});

test('a row that slipped in under the uid of an entry behind the checkpoint is named', async () => {
  const { db, seal, verify } = await setUp();
  const ids = await insertEntries(db, numbered(20));
  await seal();
  const [newer] = await insertEntries(db, numbered(1));
  await sealNow(db);
  const { rows } = await db.query<{ id: string }>(
    `insert into audit.entries (uid, organization, event_type, metadata) select uid, organization, 'forged', '{}'
     from audit.entries where id = $1 returning id::text`,
    [newer],
  );
  await db.query(
    'update audit.entries e set xid = o.xid from audit.entries o where e.id = $1 and o.id = $2',
    [rows[0]?.id, ids[3]],
  );
  const { code, said } = await verify();
  expect(said).toContainEqual(expect.stringContaining(`A record that is not sealed (id ${rows[0]?.id},`));
  expect(code).toBe(1);
});

test('a row that was put back is sealed again and proven, and so are two entries of the same uid', async () => {
  const { db, seal, verify } = await setUp();
  const ids = await insertEntries(db, numbered(300));
  await seal();
  await db.query('create table public.kept as select * from audit.entries where id = $1', [ids[6]]);
  await db.query('delete from audit.entries where id = $1', [ids[6]]);
  await db.query('insert into audit.entries overriding system value select * from public.kept');
  await sealNow(db);
  expect((await verify()).code).toBe(0);
  const { rows } = await db.query<{ id: string }>(
    `insert into audit.entries (uid, organization, event_type, metadata) select uid, organization, 'again', '{}'
     from public.kept returning id::text`,
  );
  await seal();
  const { code, said } = await verify();
  expect(said.at(-1)).toMatch(/^Proven: each of the 302 sealed entries is here/);
  expect(code).toBe(0);
  await db.query(`update audit.entries set actor_id = 'eve' where id = $1`, [rows[0]?.id]);
  expect((await verify()).said).toContainEqual(
    expect.stringMatching(new RegExp(`^Entry number 302 \\(id ${rows[0]?.id}, .* is not as it was sealed`)),
  );
  await db.query('delete from audit.entries where id = any ($1)', [[ids[6], rows[0]?.id]]);
  expect((await verify()).said.filter((text) => / is missing\.$/.test(text))).toHaveLength(2);
});

/** Writes the ledger again from `leaves`, as whoever has the database but not the key can. */
async function forgeLedger(db: Database, change: (leaves: Buffer) => Buffer): Promise<void> {
  const { id } = await readLedger(db);
  const { rows } = await db.query<{ entries: Buffer }>(
    'select entries from audit.ledger_bundles where ledger = $1 order by number',
    [id],
  );
  const leaves = change(Buffer.concat(rows.map(({ entries }) => entries)));
  const tree = new CompactRange();
  const hashes = hashLeaves(leaves);
  for (let at = 0; at < hashes.length; at += hashBytes) tree.append(hashes.subarray(at, at + hashBytes));
  await db.query('delete from audit.ledger_bundles where ledger = $1', [id]);
  await db.query(
    `insert into audit.ledger_bundles (ledger, number, entries, min_id, max_id) values ($1, 0, $2, 0, 1000000)`,
    [id, leaves],
  );
  await db.query('update audit.ledgers set size = $2, state = $3 where id = $1', [
    id,
    leaves.length / leafBytes,
    tree.encode(),
  ]);
}

test('rows forged together with the ledger, cut off with it or set back with it are seen by the signed root', async () => {
  const { db, seal, verify } = await setUp();
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-older-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const ids = await insertEntries(db, numbered(100));
  await seal();
  const small = await readNote(db, 'acme');
  await db.query('create table public.l as table audit.ledgers');
  await insertEntries(db, numbered(50));
  await seal();
  const older = join(folder, 'older');
  await writeFile(older, (await readNote(db, 'acme'))?.note ?? '');
  await db.query('create table public.l2 as table audit.ledgers');
  await db.query('create table public.b as table audit.ledger_bundles');
  await db.query('create table public.e as table audit.entries');
  const restore = async (): Promise<void> => {
    await db.query('truncate audit.ledgers, audit.ledger_bundles, audit.ledger_findings, audit.entries');
    await db.query('insert into audit.ledgers select * from public.l2');
    await db.query('insert into audit.ledger_bundles select * from public.b');
    // As pg_restore --disable-triggers does: with them the entries would belong to this transaction.
    await db.query('alter table audit.entries disable trigger user');
    await db.query('insert into audit.entries overriding system value select * from public.e');
    await db.query('alter table audit.entries enable trigger user');
  };
  expect((await verify('--older', older)).code).toBe(0);

  // A row and its leaf.
  await forgeLedger(db, (leaves) => Buffer.from(leaves).fill(7, 30, 56));
  expect(await verify()).toMatchObject({
    code: 1,
    said: [expect.stringContaining('do not give the root that was signed for 150: they were altered')],
  });
  // The same against a ledger that was kept elsewhere.
  await restore();

  // The tail, rows and leaves.
  await db.query('delete from audit.entries where id > $1', [ids.at(-1)]);
  await forgeLedger(db, (leaves) => leaves.subarray(0, 100 * leafBytes));
  expect(await verify()).toMatchObject({
    code: 1,
    said: [expect.stringContaining('does not hold 150 leaves')],
  });
  // With the checkpoint of then: only whoever kept a later one sees it.
  await db.query(
    'update audit.ledgers set note = $1, note_size = 100, note_root = l.note_root from public.l',
    [small?.note],
  );
  expect(await verify()).toMatchObject({ code: 0 });
  expect(await verify('--older', older)).toMatchObject({
    code: 1,
    said: [expect.stringContaining('is of 150 entries, and the ledger has only 100: it was set back')],
  });

  // Another ledger in its place, and signed by another key.
  await restore();
  await db.query(`delete from audit.entries where id = $1`, [ids[7]]);
  await db.query(`select audit.restart_ledger('acme', 'to hide it')`);
  await seal([new LedgerKey(generateKeyPairSync('ed25519').privateKey)]);
  expect(await verify()).toMatchObject({
    code: 1,
    said: [expect.stringContaining('The checkpoint is refused')],
  });
  // Signed by the collector itself: it names the one before, and who kept that one sees it.
  await restore();
  await db.query(`delete from audit.entries where id = $1`, [ids[7]]);
  const { origin } = { origin: `audit.example.com/${(await readLedger(db)).id}` };
  await db.query(`select audit.restart_ledger('acme', 'to hide it')`);
  await seal();
  const restarted = await verify();
  expect(restarted.code).toBe(0);
  expect(restarted.said).toContain(
    `This ledger replaces ${origin}: only that one shows what was changed before.`,
  );
  expect((await verify('--older', older)).code).toBe(1);

  // Begun by the collector, after somebody has ended the one before by hand.
  await restore();
  await db.query(`delete from audit.entries where id = $1`, [ids[7]]);
  await db.query('update audit.ledgers set ended_at = now()');
  await seal();
  const silent = await verify();
  expect(silent.said).toContain(
    `The organization's ledger ${origin} ended, and no other follows it: somebody has put a new one in its place without audit.restart_ledger.`,
  );
  expect(silent.code).toBe(1);
});

test('what retention let go of is not missing, whether an entry has told of it yet or not', async () => {
  const { db, seal, verify } = await setUp();
  await insertEntries(db, numbered(300, { occurredAt: '2020-01-02T03:04:05Z' }));
  await insertEntries(db, numbered(10));
  await seal();
  await db.query(`select audit.set_retention('acme', '1 year')`);
  while (!(await deleteExpired(db, 'acme', 100)).isWhole);
  const untold = await verify();
  // Whoever deletes rows can also write down that they were let go.
  expect(untold.code).toBe(3);
  expect(untold.said).toContain(
    '300 of 310 sealed entries were let go by retention, as only the database says: the next entry audit_log.entries_expired, at most a day later, must name them.',
  );
  await seal();
  const { code, said } = await verify();
  expect(said.join('\n')).toMatch(
    /\n300 of 31[23] sealed entries were let go by retention, as a sealed entry \(audit_log\.entries_expired\) says\.\nProven: each of the 1[23] sealed entries that retention has not let go of is here/,
  );
  expect(code).toBe(0);
  // What a person deletes besides is missing all the same.
  await db.query(
    `delete from audit.entries where event_type = 'flow.created' and id in (select max(id) from audit.entries where event_type = 'flow.created')`,
  );
  expect((await verify()).code).toBe(1);
});

test('an entry about retention lets go of nothing that was sealed after it', async () => {
  const { db, seal, verify } = await setUp();
  await insertEntries(db, numbered(3));
  await seal();
  await db.query(
    `insert into audit.entries (organization, event_type, metadata) values ('acme', 'audit_log.entries_expired', $1)`,
    [JSON.stringify({ ledger: (await readLedger(db)).id, numbers: '2-1000' })],
  );
  const [, later] = await insertEntries(db, numbered(5));
  await seal();
  await db.query('delete from audit.entries where id = $1', [later]);
  const { code, said } = await verify();
  expect(said).toContainEqual(expect.stringMatching(/^Entry number 6 .* is missing\.$/));
  expect(code).toBe(1);
});

test('what could not be read when it was sealed is said to be unproven, and still has its id', async () => {
  const { db, seal, verify } = await setUp();
  await db.query('alter table audit.entries drop constraint entry_fits');
  await insertEntries(db, numbered(3));
  const huge = `[${Array.from({ length: 300 }, () => '1e131000').join(',')}]`;
  const [id] = await insertEntries(db, [{ metadata: huge }]);
  await seal();
  // Nobody can tell whether this is what was there.
  await db.query(`update audit.entries set metadata = '{}' where id = $1`, [id]);
  const { code, said } = await verify();
  expect(said.slice(-2)).toEqual([
    '1 of 4 sealed entries could not be read when they were sealed: nothing proves their contents.',
    'Proven in part. Every other record here is as it was sealed. Each of the 4 sealed entries is here.',
  ]);
  expect(code).toBe(3);
  await db.query('update audit.entries set id = default where id = $1', [id]);
  expect((await verify()).code).toBe(1);
});

test('without a key it says what an unsigned ledger can show', async () => {
  const { db, seal, verify } = await setUp();
  const [id] = await insertEntries(db, numbered(10));
  await seal([]);
  expect(await verify()).toEqual({
    code: 1,
    said: ['The checkpoint is refused. It is not signed: the collector that made it had no LEDGER_KEY.'],
  });
  const unsigned = await verify('--unsigned');
  expect(unsigned.code).toBe(3);
  expect(unsigned.said.at(-1)).toBe(
    'Proven in part. Every record here is as it was sealed. Each of the 10 sealed entries is here. The ledger is not signed: who can change the entries can have changed it as well.',
  );
  await db.query('delete from audit.entries where id = $1', [id]);
  expect((await verify('--unsigned')).code).toBe(1);
});

test('the command trusts the key of the collector, or a public key as PEM, and says what is wrong in a sentence', async () => {
  const { db, url, seal } = await setUp();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await insertEntries(db, numbered(10));
  await seal([new LedgerKey(privateKey)]);
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-key-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [pem, privatePem] = [join(folder, 'public.pem'), join(folder, 'private.pem')];
  await writeFile(pem, publicKey.export({ format: 'pem', type: 'spki' }));
  await writeFile(privatePem, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const run = (args: string[], env: Record<string, string> = { DATABASE_URL: url }) =>
    runCommand(['cmd/verify.ts', '--table', '--organization', 'acme', ...args], env);
  const [own, given, nobody, none, elsewhere, secret] = await Promise.all([
    run([], { DATABASE_URL: url, LEDGER_KEY_FILE: privatePem }),
    run(['--public-key', pem]),
    run([]),
    run(['--public-key', pem, '--organization', 'nobody']),
    run(['--public-key', pem], { DATABASE_URL: 'postgresql://127.0.0.1:9/x' }),
    run(['--public-key', privatePem]),
  ]);
  for (const proven of [own, given]) {
    expect(proven.stdout).toContain('Proven: each of the 10 sealed entries');
    expect(proven.code).toBe(0);
  }
  expect(nobody.problems).toEqual([
    'Nobody is trusted: give --public-key KEY, or set LEDGER_KEY, or --unsigned if the collector has no key.',
  ]);
  expect(none.problems).toEqual([
    'The organization "nobody" has no ledger in this database: correct the name, or wait until the collector has sealed its first entries.',
  ]);
  expect(elsewhere.problems).toEqual([
    'The database cannot be read: Postgres refuses connections: is it running, and are host and port of DATABASE_URL right?',
  ]);
  expect(secret.problems[0]).toContain('is the private one: make it with `openssl pkey');
  expect([nobody, none, elsewhere, secret].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
});

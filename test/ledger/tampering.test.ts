/** What somebody with all rights changes behind the ledger's back is found, and named with its entry. */
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { deleteExpired } from '../../src/database/retention.ts';
import { Fingerprinter } from '../../src/ledger/fingerprint.ts';
import { Isolation } from '../../src/ledger/isolation.ts';
import { scrubNext } from '../../src/ledger/scrub.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { readLedger, sealNow } from './ledgers.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(): Promise<{ db: Database; url: string; lines: string[]; scrub(): Promise<void> }> {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 4);
  onTestFinished(() => db.end());
  const lines: string[] = [];
  const log = makeLogger({ level: 'error', destination: { write: (line: string) => void lines.push(line) } });
  const signal = new AbortController().signal;
  const options = {
    db,
    log,
    fingerprinter: new Fingerprinter(),
    signal,
    share: 1,
    restMs: 0,
    isolation: new Isolation(),
  };
  return {
    db,
    url,
    lines,
    scrub: async () => {
      expect(await scrubNext(options)).toBe(true);
    },
  };
}

async function findingsOf(db: Database): Promise<string[]> {
  const { rows } = await db.query(
    `select kind, entry_id, number from audit.ledger_findings where resolved_at is null order by number, kind, entry_id`,
  );
  return rows.map(({ kind, entry_id: id, number }) => `${kind} ${id}${number === null ? '' : ` #${number}`}`);
}

test('each kind of change is named with its entry, and over when it is undone', async () => {
  const { db, lines, scrub } = await setUp();
  const ids = await insertEntries(db, numbered(1_200));
  await insertEntries(db, numbered(3, { organization: 'other' }));
  await sealNow(db);
  await sealNow(db, 'other');
  await scrub();
  await scrub();
  expect(await findingsOf(db)).toEqual([]);
  await db.query('create table public.before as table audit.entries');

  await db.query(`update audit.entries set metadata = '{"n": 0}' where id = $1`, [ids[4]]);
  await db.query(
    `update audit.entries set occurred_at = occurred_at + interval '1 microsecond' where id = $1`,
    [ids[300]],
  );
  await db.query('delete from audit.entries where id = $1', [ids[511]]);
  await db.query('update audit.entries set uid = gen_random_uuid() where id = $1', [ids[600]]);
  await db.query(`update audit.entries set organization = 'other' where id = $1`, [ids[700]]);
  // With the transaction id of one that is sealed; of the two a count would see no difference.
  const { rows } = await db.query(
    `insert into audit.entries (organization, event_type, metadata) values ('acme', 'forged', '{}') returning id::text`,
  );
  await db.query(
    'update audit.entries e set xid = o.xid from audit.entries o where e.id = $1 and o.id = $2',
    [rows[0].id, ids[10]],
  );
  await scrub();
  await scrub();
  const found = [
    `changed ${ids[4]} #5`,
    `changed ${ids[300]} #301`,
    `missing ${ids[511]} #512`,
    `replaced ${ids[600]} #601`,
    `moved ${ids[700]} #701`,
    `slipped-in ${ids[700]}`,
    `slipped-in ${rows[0].id}`,
  ];
  // In the other organization the moved row has slipped in.
  expect(await findingsOf(db)).toEqual(found);
  const said = lines.length;
  expect(lines.map((line) => JSON.parse(line).organization).sort()).toContain('acme');
  expect(lines.every((line) => line.includes('entries are not as they were sealed'))).toBe(true);
  await scrub();
  await scrub();
  expect(lines).toHaveLength(said);

  // A row and its leaf forged together do not fit the bundle's root, nor the bundle the tree.
  const { id } = await readLedger(db);
  await db.query('truncate audit.entries');
  await db.query('insert into audit.entries overriding system value select * from public.before');
  await scrub();
  await scrub();
  expect(await findingsOf(db)).toEqual([]);
  await db.query(
    `update audit.ledger_bundles set entries = overlay(entries placing '\\x00112233'::bytea from 56 * 3 + 30) where ledger = $1 and number in (1, 4)`,
    [id],
  );
  await scrub();
  await scrub();
  expect(await findingsOf(db)).toEqual([
    `bundle ${ids[256]} #257`,
    `changed ${ids[259]} #260`,
    // Behind the last full bundle the tree itself shows it.
    `changed ${ids[1_027]} #1028`,
    'history 0',
  ]);
});

test('a row that no window will ever show has slipped in, until it is where it was sealed', async () => {
  const { db, scrub } = await setUp();
  const ids = await insertEntries(db, numbered(20));
  await sealNow(db);
  await db.query('create table public.before as table audit.entries');
  await insertEntries(db, numbered(1));
  await db.query(`update audit.entries set xid = '999999999' where id = $1`, [ids[3]]);
  await db.query(`update audit.entries set cluster = 7 where id = $1`, [ids[4]]);
  await scrub();
  expect(await findingsOf(db)).toEqual([`slipped-in ${ids[3]}`, `slipped-in ${ids[4]}`]);
  await db.query(
    'update audit.entries e set xid = b.xid, cluster = b.cluster from public.before b where b.id = e.id',
  );
  await scrub();
  expect(await findingsOf(db)).toEqual([]);
});

test('a ledger that cannot be compared holds up no other, and none is left out by the hand of somebody', async () => {
  const { db, scrub } = await setUp();
  const ids = await insertEntries(db, numbered(3));
  await sealNow(db);
  await insertEntries(db, numbered(3, { organization: 'other' }));
  await sealNow(db, 'other');
  await db.query('delete from audit.entries where id = $1', [ids[1]]);
  await db.query(`update audit.ledgers set scrub_number = -9223372036854775808 where organization = 'other'`);
  await db.query(`update audit.ledgers set scrubbed_at = 'infinity' where organization = 'acme'`);
  await scrub();
  await scrub();
  expect(await findingsOf(db)).toEqual([`missing ${ids[1]} #2`]);
});

test('retention deletes only what is sealed, and what it lets go of is not missing', async () => {
  const { db, scrub } = await setUp();
  const old = { occurredAt: '2020-01-02T03:04:05Z' };
  const ids = await insertEntries(db, numbered(600, old));
  await sealNow(db);
  const unsealed = await insertEntries(db, numbered(5, old));
  await db.query(`select audit.set_retention('acme', '1 year')`);
  const letGo = async (): Promise<void> => {
    while (!(await deleteExpired(db, 'acme', 100)).isWhole);
  };
  await letGo();
  const left = async () =>
    (
      await db.query(`select id::text from audit.entries where event_type = 'flow.created' order by 1`)
    ).rows.map(({ id }) => id);
  expect(await left()).toEqual(unsealed.toSorted());
  const { rows: progress } = await db.query(
    `select unsealed::int, next_look_at - waiting_since between '5 s' and '1 min' as soon from audit.retention_progress`,
  );
  // It may be sealed in a moment, and is said to wait until it is looked at again.
  expect(progress).toEqual([{ unsealed: 5, soon: true }]);
  const told = async () =>
    (
      await db.query(
        `select metadata from audit.entries where event_type = 'audit_log.entries_expired' order by id`,
      )
    ).rows;
  expect(await told()).toMatchObject([
    { metadata: { count: 600, numbers: '1-600', ledger: (await readLedger(db)).id } },
  ]);
  await sealNow(db);
  await db.query(`select audit.look_again('acme')`);
  await letGo();
  expect(await left()).toEqual([]);
  // Two entries about retention are between them.
  const { rows } = await db.query(`select let_go::text from audit.ledgers`);
  expect(rows[0].let_go).toMatch(/^\{\[1,606\)\}$|^\{\[1,601\),/);
  await scrub();
  expect(await findingsOf(db)).toEqual([]);
  // What a person deletes besides is missing all the same.
  await db.query(`delete from audit.entries where event_type = 'audit_log.entries_expired'`);
  await scrub();
  expect(await findingsOf(db)).toHaveLength(1);
  expect(ids).toHaveLength(600);
});

test('a ledger begins only when no batch of retention is under way that does not know of it', async () => {
  const { db, url, scrub } = await setUp();
  await insertEntries(db, numbered(50, { occurredAt: '2020-01-02T03:04:05Z' }));
  await insertEntries(db, numbered(5));
  await db.query(`select audit.set_retention('acme', '1 year')`);
  const batch = await openSession(url);
  await batch.query('begin');
  const { rows } = await batch.query(`select deleted from audit.delete_expired('acme', 1000)`);
  expect(rows).toEqual([{ deleted: 50 }]);
  const sealing = sealNow(db);
  const isWaiting = async (): Promise<boolean> =>
    (
      await db.query(
        `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      )
    ).rowCount === 1;
  await Promise.race([sealing, waitFor(isWaiting, { timeoutMs: 10_000 })]);
  await batch.query('commit');
  await batch.end();
  await sealing;
  await scrub();
  expect(await findingsOf(db)).toEqual([]);
});

/**
 * A database that is dumped in the middle of a stream and restored into another cluster, where transaction ids start
 * over: nothing is skipped, nothing stalls.
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { copyRows, dumpAndRestore, hasDumpTools } from '../tools/moveDatabase.ts';
import { hasSystemPostgres, startTestPostgres, type TestPostgresServer } from '../tools/postgres.ts';
import { findSecondMajorVersion } from '../tools/postgresInstallations.ts';
import { startReceiver } from '../tools/receiver.ts';

const second = await findSecondMajorVersion();
const canDump = (await hasSystemPostgres()) && (await hasDumpTools(second?.majorVersion ?? 0));

describe.each([
  { which: 'embedded', how: 'rows copied', move: copyRows, isThere: true },
  {
    which: 'system',
    how: 'pg_dump and psql',
    move: (from: string, to: string) => dumpAndRestore(from, to, second?.majorVersion ?? 0),
    isThere: canDump,
  },
] as const)('on the $which Postgres ($how)', ({ which, move, isThere }) => {
  test.skipIf(!isThere)(
    `a move in the middle of a window skips nothing and does not stall${isThere ? '' : ' (skipped: no second major version with pg_dump is installed)'}`,
    { timeout: 120_000 },
    async () => {
      const receiver = await startReceiver();
      onTestFinished(() => receiver.stop());
      const a = await startServer(which);
      await migrateDatabase(a.url);
      const inA = open(a);
      await burnTransactionIds(inA, 3_000);

      // In A: a stream in the middle of a window, and a transaction that was open when `settled` was taken.
      const late = await openSession(a.url);
      await late.query('begin');
      await insertEntries(late, numbered(7, { eventType: 'late.commit' }));
      await insertEntries(inA, numbered(20));
      const first = await startEngine(inA);
      first.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10, filter }));
      await first.waitForHealth((h) => h.delivered === 20 && h.activity === 'idle');
      receiver.answerWith(({ records }) => ({ status: (records[0]?.sequence ?? 0) <= 50 ? 200 : 503 }));
      await insertEntries(inA, numbered(200));
      await first.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable');
      await first.stop();
      const position = await inA.query('select position_xid from audit.streams');
      expect(position.rows[0].position_xid).not.toBeNull();
      await late.query('commit');
      await late.end();
      await insertEntries(inA, numbered(5, { eventType: 'after.window' }));
      // Left out before the move, and after it.
      await insertEntries(inA, [{ eventType: 'excluded' }]);

      const b = await startServer(which);
      await move(a.url, b.url);
      const inB = open(b);
      // Written in the new cluster before any collector has seen it, with transaction ids far below A's.
      await insertEntries(inB, numbered(30, { eventType: 'in.b' }));
      receiver.answerWith({ status: 200 });
      const second = await startEngine(inB);
      second.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10, filter }));
      await second.waitForHealth((h) => h.delivered === 262 && h.activity === 'idle');
      await insertEntries(inB, numbered(10, { eventType: 'in.b.later' }));
      await second.waitForHealth((h) => h.delivered === 272 && h.activity === 'idle');
      expect(receiver.ledger.storedUids().sort()).toEqual(await exportedUids(inB));
      expect(receiver.ledger.missingSequences()).toEqual([]);
      expect(receiver.ledger.differences).toEqual([]);
      await second.stop();

      // And back: A's server goes on counting where it was, so the same cluster comes a second time.
      await inA.query('drop schema audit cascade');
      await insertEntries(inB, numbered(4, { eventType: 'in.b.last' }));
      await move(b.url, a.url);
      await insertEntries(inA, numbered(6, { eventType: 'in.a.again' }));
      const third = await startEngine(inA);
      third.setConfigs(makeConfig(receiver.endpoint, { filter }));
      await third.waitForHealth((h) => h.delivered === 282 && h.activity === 'idle');
      expect(receiver.ledger.storedUids().sort()).toEqual(await exportedUids(inA));
      expect(receiver.ledger.missingSequences()).toEqual([]);

      // A stream made now, from the beginning, reads every cluster; one from now reads none of the old ones.
      third.setConfigs(
        makeConfig(receiver.endpoint, { key: 'test/all', filter }),
        makeConfig(receiver.endpoint, { key: 'test/now', startFrom: { kind: 'now' } }),
      );
      await third.waitForHealth((h) => h.delivered === 282 && h.activity === 'idle', 'test/all');
      await insertEntries(inA, numbered(1));
      await third.waitForHealth((h) => h.delivered === 1, 'test/now');
      await third.stop();
    },
  );
});

const filter = { eventTypes: [], excludeEventTypes: ['excluded'], projects: [] };

async function exportedUids(db: Database): Promise<string[]> {
  const result = await db.query<{ uid: string }>(
    `select uid::text from audit.entries where event_type <> 'excluded'`,
  );
  return result.rows.map((row) => row.uid).sort();
}

async function startServer(which: 'embedded' | 'system'): Promise<TestPostgresServer> {
  const server = await startTestPostgres(which);
  onTestFinished(() => server.remove());
  return server;
}

function open(server: TestPostgresServer): Database {
  const db = openDatabase(server.url);
  onTestFinished(() => db.end());
  return db;
}

async function burnTransactionIds(db: Database, count: number): Promise<void> {
  await db.query(
    `do $$ begin for i in 1..${count} loop perform pg_current_xact_id(); commit; end loop; end $$`,
  );
}

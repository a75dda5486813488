/** Every committed entry arrives, once, in order, whatever the order of commits. */
import { expect, onTestFinished, test } from 'vitest';
import {
  insertEntries,
  migrateDatabase,
  numbered,
  openDatabase,
  openSession,
  uidsOf,
} from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp() {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  return { url, db, receiver };
}

test('delivers every entry once, with sequence numbers from 1', async () => {
  const { db, receiver } = await setUp();
  await insertEntries(db, numbered(2_500));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await receiver.waitFor((r) => r.ledger.storedCount === 2_500);
  const health = await engine.waitForIdle();
  expect(health.delivered).toBe(2_500);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.records).toHaveLength(2_500);
  expect(receiver.problems).toEqual([]);
});

test('delivers an entry that commits after a later one', async () => {
  const { url, db, receiver } = await setUp();
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  const slow = await openSession(url);
  await slow.query('begin');
  await insertEntries(slow, [{ eventType: 'slow' }]);
  await insertEntries(db, [{ eventType: 'quick' }]);
  await receiver.waitFor((r) => r.ledger.storedCount === 1);
  expect(receiver.records.map((record) => record.eventName)).toEqual(['quick']);
  await slow.query('commit');
  await slow.end();
  await receiver.waitFor((r) => r.ledger.storedCount === 2);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

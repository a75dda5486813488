/**
 * The guarantee under fire: four writers commit out of order for half a minute while the collector is killed again and again.
 * Afterwards the receiver's copy, without repeats, equals the table.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openSession, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const writeMs = 30_000;
const kills = 10;

test(`four writers, out of order, for ${writeMs / 1000} s, and ${kills} times SIGKILL: every entry once, none changed, no gap`, {
  timeout: 180_000,
}, async () => {
  const { url, db, receiver } = await setUp(postgres, { keep: 'hashes' });
  const collector = await makeCollectorProcess(url, { LOG_LEVEL: 'warn' });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    maxBatchSize: 50,
  });
  collector.start();

  const held = await openSession(url);
  await held.query('begin');
  await insertEntries(held, numbered(3, { eventType: 'held.open' }));

  const until = Date.now() + writeMs;
  const writers = Array.from({ length: 4 }, async (_, n) => {
    const session = await openSession(url);
    for (let turn = 0; Date.now() < until; turn++) await writeTransaction(session, n * 1_000_003 + turn);
    await session.end();
  });
  // The pace of the kills is the test's own doing, not a wait for something.
  for (let kill = 0; kill < kills; kill++) {
    await delay((writeMs / kills) * (0.5 + Math.random()));
    await collector.kill('SIGKILL');
    collector.start();
  }
  await Promise.all(writers);

  // The open transaction delayed nobody else: everything but its own rows is there while it is still open.
  const visible = await uidsOf(db);
  expect(visible.length).toBeGreaterThan(1_000);
  await receiver.waitFor((r) => r.ledger.storedCount >= visible.length, 60_000);
  expect(receiver.ledger.storedUids().sort()).toEqual(visible);
  await held.query('commit');
  await held.end();
  const all = await uidsOf(db);
  expect(all).toHaveLength(visible.length + 3);
  await waitFor(() => receiver.ledger.storedCount >= all.length, { timeoutMs: 60_000 });

  expect(receiver.ledger.storedUids().sort()).toEqual(all);
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.ledger.missingSequences()).toEqual([]);
  const sequences = [...receiver.ledger.sightings().values()].map((sighting) => sighting.sequence);
  expect(new Set(sequences).size).toBe(all.length);
  expect(receiver.problems).toEqual([]);
});

/** One transaction of a writer: single and multi-row inserts, savepoints, rollbacks, pauses while it is open. */
async function writeTransaction(session: pg.Client, seed: number): Promise<void> {
  const random = mulberry32(seed);
  await session.query('begin');
  const statements = 1 + Math.floor(random() * 3);
  for (let i = 0; i < statements; i++) {
    await insertEntries(session, numbered(1 + Math.floor(random() * 8)));
    if (random() < 0.3) {
      await session.query('savepoint s');
      await insertEntries(session, numbered(2, { eventType: 'in.savepoint' }));
      await session.query(random() < 0.5 ? 'rollback to savepoint s' : 'release savepoint s');
    }
    if (random() < 0.2) await delay(random() * 120);
  }
  await session.query(random() < 0.15 ? 'rollback' : 'commit');
  await delay(random() * 20);
}

/** A small seeded generator, so that a failure can be looked at again. */
function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

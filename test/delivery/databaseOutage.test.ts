/** Postgres goes away in the middle: nothing is lost, and the collector comes back by itself. */
import { expect, test } from 'vitest';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test.each(['fast', 'immediate'] as const)(
  'two restarts (%s) in the middle of a stream lose nothing',
  { timeout: 60_000 },
  async (mode) => {
    const { url, db, receiver } = await setUp(postgres);
    receiver.answerWith(async (request) => {
      // Slow enough that the restarts come in the middle.
      await new Promise((resolve) => setImmediate(resolve));
      return { status: request.number % 50 === 0 ? 503 : 200 };
    });
    await insertEntries(db, numbered(6_000));
    const engine = await startEngine(db);
    engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
    for (const share of [1_000, 3_000]) {
      await receiver.waitFor((r) => r.ledger.storedCount >= share);
      await postgres.server.restart(mode);
      expect(receiver.ledger.storedCount).toBeLessThan(6_000);
    }
    await engine.waitForHealth((h) => h.delivered >= 6_000 && h.activity === 'idle', 'test/acme', 30_000);
    const after = openDatabase(url);
    await insertEntries(after, numbered(10));
    await receiver.waitFor((r) => r.ledger.storedCount === 6_010);
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(after));
    await after.end();
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.ledger.differences).toEqual([]);
    expect(engine.log.some((line) => line.includes('"reason":"DatabaseUnavailable"'))).toBe(true);
  },
);

/** What a stopping replica says about its streams: what it knew when it stopped, for as long as they are its own. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('a drain that takes long is not taken for an outage, and says nothing once the lease has expired', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  const engine = await startEngine(db, { leaseDurationMs: 10_000 });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  const health = engine.health();

  let aheadMs = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  onTestFinished(() => void vi.restoreAllMocks());
  await engine.supervisor.drain(0);
  aheadMs = 6_000;
  expect(engine.health()).toEqual(health);
  aheadMs = 11_000;
  expect(engine.health()).toBeNull();
});

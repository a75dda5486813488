/** How requests went, kept for people: sums by the hour and the last hundred, added by whoever sends, without a batch waiting for it. */
import { expect, test } from 'vitest';
import { readAttempts } from '../../src/database/attempts.ts';
import type { Database } from '../../src/database/pool.ts';
import { latencyQuantile } from '../../src/model/attempt.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function read(db: Database) {
  const found = await db.query<{ id: string }>('select id from audit.streams');
  return await readAttempts(db, found.rows[0]?.id ?? '');
}

test('says of failures within seconds what they were, and when it is tried again', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith({ status: 401, headers: { 'content-type': 'text/plain' }, body: 'token is unknown' });
  await insertEntries(db, numbered(3));
  const engine = await startEngine(db, { attemptIntervalMs: 20, hold: { initialMs: 60_000, maxMs: 60_000 } });
  const startedAt = Date.now();
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth(({ failure }) => failure?.reason === 'Unauthorized');
  const kept = await waitFor(async () => {
    const now = await read(db);
    return now.nextTryAt === null ? undefined : now;
  });
  expect(kept.attempts[0]).toMatchObject({
    records: 3,
    numbers: [1, 3],
    reason: 'Unauthorized',
    httpStatus: 401,
    message: expect.stringContaining('token is unknown'),
  });
  expect(Date.parse(kept.nextTryAt ?? '') - startedAt).toBeGreaterThan(30_000);
  const [hour] = kept.hours;
  expect(hour).toMatchObject({ accepted: 0, failures: { Unauthorized: hour?.requests } });
  expect(latencyQuantile(hour?.latency ?? [], 0.5)).toBeGreaterThan(0);
});

test('adds what another process of the same hour has gathered, and keeps the last hundred', async () => {
  const { db, receiver } = await setUp(postgres);
  // The hour does not end meanwhile.
  const at = Date.now();
  const now = () => at;
  const config = makeConfig(receiver.endpoint, { maxBatchSize: 1 });
  await insertEntries(db, numbered(70));
  const first = await startEngine(db, { now });
  first.setConfigs(config);
  await first.waitForHealth(({ delivered }) => delivered === 70);
  await first.stop();
  await insertEntries(db, numbered(60));
  receiver.answerWith(({ number }) => ({ status: number === 75 ? 503 : 200 }));
  const second = await startEngine(db, { now });
  second.setConfigs(config);
  await second.waitForHealth(({ delivered }) => delivered === 130);
  await second.stop();
  const { rows } = await db.query(
    `select accepted::int, requests::int, failures, latency from audit.stream_hours`,
  );
  const [hour] = rows;
  expect(rows).toHaveLength(1);
  expect(hour).toMatchObject({ accepted: 130, requests: 131, failures: { ReceiverUnavailable: 1 } });
  expect(hour.latency.reduce((sum: number, count: number) => sum + count, 0)).toBe(131);
  const { attempts, nextTryAt } = await read(db);
  expect(attempts).toHaveLength(100);
  expect(attempts.filter(({ reason }) => reason !== undefined)).toHaveLength(1);
  expect(attempts.some(({ numbers }) => numbers?.[0] === 130)).toBe(true);
  expect(nextTryAt).toBeNull();
});

test('forgets hours of more than a month ago, and a stream that is gone takes its own along', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [{}]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  await db.query(
    `insert into audit.stream_hours select id, now() - interval '31 days', 1, 0, 1, '{}', '{1}' from audit.streams`,
  );
  await engine.stop();
  expect((await db.query('select from audit.stream_hours')).rowCount).toBe(1);
  await db.query('delete from audit.streams');
  expect((await db.query('select from audit.stream_hours')).rowCount).toBe(0);
});

/** What becomes of entries that a receiver refuses: split, isolated, parked with proof, replayed; never dropped. */
import { expect, onTestFinished, test } from 'vitest';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import {
  type Answering,
  ok,
  type ReceivedRequest,
  type ReceiverAnswer,
  startReceiver,
} from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const badRequest: ReceiverAnswer = {
  status: 400,
  body: 'invalid record',
  headers: { 'content-type': 'text/plain' },
};
const isPoisoned = (request: ReceivedRequest): boolean =>
  request.records.some((record) => record.eventName === 'poison');
const refusePoison: Answering = (request) => (isPoisoned(request) ? badRequest : ok);
const poison = { eventType: 'poison' };

test('halves a batch that is too large, and remembers the size that passed', async () => {
  const { db, receiver } = await setUp(postgres);
  let tooLarge = 0;
  receiver.answerWith((request) => {
    if (request.body.length <= 300_000) return ok;
    tooLarge++;
    return { status: 413 };
  });
  await insertEntries(
    db,
    numbered(3_000, { metadata: '' }).map((_, i) => ({
      metadata: `{"n": ${i}, "pad": "${'x'.repeat(1_000)}"}`,
    })),
  );
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  // 1.2 MB in the first requests: halved to 0.6, then to 0.3. Up to four may be in flight when the first answer comes.
  expect(tooLarge).toBeLessThanOrEqual(8);
  expect(engine.health()).toMatchObject({
    parked: 0,
    delivered: 3_000,
    failure: null,
    lastError: { reason: 'TooLarge', httpStatus: 413 },
  });
  await insertEntries(db, [{}]);
  await engine.waitForHealth((h) => h.delivered === 3_001);
  expect(engine.health()?.lastError?.resolvedTime).toBeDefined();
});

test('parks one poison record of a batch, delivers its neighbours, and replays it with its own sequence number', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, [...numbered(600), poison, ...numbered(399)]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 999, parked: 1 });
  expect(receiver.ledger.missingSequences()).toEqual([601]);
  const parked = await db.query('select sequence, reason, http_status, message from audit.parked');
  expect(parked.rows).toEqual([
    {
      sequence: '601',
      reason: 'EntryRefused',
      http_status: 400,
      message: expect.stringContaining('invalid record'),
    },
  ]);

  // Still refused: it stays parked.
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth(() => engine.log.some((line) => line.includes('"parkedAgain":1')));
  expect(engine.health()?.parked).toBe(1);

  receiver.answerWith(ok);
  await db.query(`select audit.replay_parked('acme')`);
  await receiver.waitFor((r) => r.ledger.storedCount === 1_000);
  await engine.waitForHealth((h) => h.parked === 0 && h.delivered === 1_000);
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

test('parks several poison records, neighbours of each other too, each with a proof of its own', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, [
    poison,
    poison,
    ...numbered(50),
    poison,
    ...numbered(50),
    poison,
    poison,
    poison,
    ...numbered(5),
  ]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 105, parked: 6 });
  expect(receiver.ledger.missingSequences()).toEqual([1, 2, 53, 104, 105, 106]);
});

test('parks a poison record that is alone in its window, once the endpoint takes a repeat of the one before', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, numbered(1));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  await insertEntries(db, [poison]);
  await engine.waitForHealth((h) => h.parked === 1);
  const { failure, lastError } = await engine.waitForIdle();
  expect(receiver.ledger.differences).toEqual([]);
  expect(failure).toBeNull();
  expect(lastError).toMatchObject({ reason: 'EntryRefused', resolvedTime: expect.any(String) });
});

test('holds everything, and parks nothing, while the endpoint accepts nothing', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(badRequest);
  await insertEntries(db, numbered(20));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.activity === 'holding');
  const requests = receiver.requestCount;
  await receiver.waitFor((r) => r.requestCount > requests + 20);
  expect(engine.health()).toMatchObject({ parked: 0, delivered: 0, activity: 'holding' });
  receiver.answerWith(ok);
  await engine.waitForIdle();
  expect(engine.health()).toMatchObject({ parked: 0, delivered: 20 });
});

test('says that nothing shows whether the receiver accepts others, where there was no other to send', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, [poison]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const { failure } = await engine.waitForHealth((h) => h.activity === 'holding');
  expect(failure?.message).toContain('There was no other entry to send with it');
});

test('parks a refused entry that is alone right after a restart: the last record shows what the receiver takes', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, numbered(5));
  const before = await startEngine(db);
  before.setConfigs(makeConfig(receiver.endpoint));
  await before.waitForIdle();
  await before.stop();

  await insertEntries(db, [poison]);
  const after = await startEngine(db);
  after.setConfigs(makeConfig(receiver.endpoint));
  await after.waitForHealth((h) => h.parked === 1);
  await insertEntries(db, numbered(3));
  await receiver.waitFor((r) => r.ledger.storedCount === 8);
  expect(await after.waitForIdle()).toMatchObject({ delivered: 8, parked: 1, activity: 'idle' });
  // The proof is a repeat, byte for byte the same.
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.ledger.missingSequences()).toEqual([6]);
});

test('takes no record of another place for a proof', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(5));
  const before = await startEngine(db);
  before.setConfigs(makeConfig(receiver.endpoint));
  await before.waitForIdle();
  await before.stop();

  const other = await startReceiver();
  onTestFinished(() => other.stop());
  other.answerWith(refusePoison);
  await insertEntries(db, [poison]);
  const after = await startEngine(db);
  after.setConfigs(makeConfig(other.endpoint));
  const { failure } = await after.waitForHealth((h) => h.activity === 'holding');
  expect(failure?.message).toContain('There was no other entry to send with it');
  expect(other.ledger.storedCount).toBe(0);
});

test('ends a hold at once when the config changes', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith({ status: 401 });
  await insertEntries(db, numbered(3));
  const engine = await startEngine(db, { hold: { initialMs: 3_600_000, maxMs: 3_600_000 } });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.failure?.reason === 'Unauthorized');
  receiver.answerWith(ok);
  engine.setConfigs(makeConfig(`${receiver.endpoint}?v=2`));
  await engine.waitForIdle();
  expect(engine.health()?.delivered).toBe(3);
});

test('parks a single record that is too large for the receiver, and delivers the rest', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith((request) => (request.body.length > 100_000 ? { status: 413 } : ok));
  await insertEntries(db, [
    ...numbered(10),
    { metadata: `{"pad": "${'x'.repeat(200_000)}"}` },
    ...numbered(10),
  ]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 20, parked: 1 });
  expect((await db.query('select reason, sequence from audit.parked')).rows).toEqual([
    { reason: 'TooLarge', sequence: '11' },
  ]);
});

test('counts and shows what a receiver rejects in a partial success, and does not send it again', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}',
  });
  await insertEntries(db, numbered(10));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({
    delivered: 8,
    rejected: 2,
    parked: 0,
    lastError: { reason: 'PartialSuccess' },
  });
  expect(health.lastError?.message).toMatch(/rejected 2 .*1 to 10.*"too old"/);
  expect(receiver.requestCount).toBe(1);
});

const rejecting = (rejected: number): ReceiverAnswer => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: `{"partialSuccess": {"rejectedLogRecords": "${rejected}", "errorMessage": "poisonous"}}`,
  stored: false,
});

test('parks each entry of a request that is rejected as a whole by a partial success, with the words of the receiver', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(({ records }) => {
    const poisoned = records.filter(({ eventName }) => eventName === 'poison').length;
    return poisoned === 0 ? ok : poisoned === records.length ? rejecting(poisoned) : badRequest;
  });
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, [{}]);
  await engine.waitForIdle();
  await insertEntries(db, [poison]);
  await engine.waitForHealth((h) => h.parked === 1);
  await insertEntries(db, [poison, poison, poison, {}]);
  const health = await engine.waitForHealth((h) => h.parked === 4 && h.delivered === 2);
  expect(health).toMatchObject({ rejected: 0 });
  const parked = await db.query<{ sequence: string; reason: string; message: string }>(
    'select sequence, reason, message from audit.parked order by sequence',
  );
  const message = 'The receiver took the request but rejected the only record of it. It says: "poisonous"';
  expect(parked.rows).toEqual(
    [2, 3, 4, 5].map((n) => ({ sequence: `${n}`, reason: 'EntryRefused', message })),
  );
  // A replay that is rejected again is not delivered.
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth(() => engine.log.some((line) => line.includes('"parkedAgain":4')));
  expect(engine.health()).toMatchObject({ parked: 4, delivered: 2 });
  receiver.answerWith(ok);
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth((h) => h.parked === 0 && h.delivered === 6);
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('holds, and parks nothing, while every record of every request is rejected by a partial success', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(({ recordCount }) => rejecting(recordCount));
  await insertEntries(db, numbered(2_500));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  const health = await engine.waitForHealth(({ activity }) => activity === 'holding');
  expect(health).toMatchObject({ parked: 0, delivered: 0, rejected: 0 });
  expect(health.failure?.message).toContain('It says: "poisonous" It refuses every entry it is given');
  receiver.answerWith(ok);
  await engine.waitForHealth(({ delivered }) => delivered === 2_500);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
});

test('does not send a batch again that overtook a failed one', async () => {
  const { db, receiver } = await setUp(postgres);
  let isFirst = true;
  receiver.answerWith(async (request) => {
    if (!isFirst || request.records[0]?.sequence !== 1) return ok;
    isFirst = false;
    await receiver.waitFor((r) => r.ledger.storedCount >= 20);
    return { status: 503 };
  });
  await insertEntries(db, numbered(100));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
  await engine.waitForIdle();
  const stored = [...receiver.ledger.sightings().values()].map((sighting) => sighting.stored);
  expect(stored).toHaveLength(100);
  expect(new Set(stored)).toEqual(new Set([1]));
});

test('a replay that first met an outage leaves no failure standing once it is done', async () => {
  const { db, receiver } = await setUp(postgres);
  receiver.answerWith(refusePoison);
  await insertEntries(db, [...numbered(3), poison]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.parked === 1 && h.activity === 'idle');
  receiver.answerWith({ status: 503 });
  await db.query(`select audit.replay_parked('acme')`);
  await engine.waitForHealth((h) => h.failure?.reason === 'ReceiverUnavailable');
  receiver.answerWith(ok);
  const health = await engine.waitForHealth((h) => h.parked === 0 && h.activity === 'idle');
  expect(health.failure).toBeNull();
  expect(health.lastError?.resolvedTime).toBeDefined();
});

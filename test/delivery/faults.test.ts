/** A receiver that does everything wrong in turn: nothing is lost, the status says what a person needs to know, and all mends itself. */
import { expect, onTestFinished, test } from 'vitest';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Answering, ok, type ReceiverAnswer, startReceiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

interface Fault {
  readonly name: string;
  readonly answer: ReceiverAnswer | Answering;
  /** Of the status while it lasts. */
  readonly reason: string;
  readonly message: RegExp;
  readonly condition: 'Stalled' | 'Reconciling';
  readonly httpStatus?: number;
}

const text = (status: number, body: string, headers: Record<string, string> = {}): ReceiverAnswer => ({
  status,
  body,
  headers: { 'content-type': 'text/plain', ...headers },
});

const faults: Fault[] = [
  {
    name: 'resets connections',
    answer: { reset: true },
    reason: 'ConnectionFailed',
    message: /127\.0\.0\.1/,
    condition: 'Reconciling',
  },
  {
    name: 'hangs',
    answer: { hang: true },
    reason: 'Timeout',
    message: /127\.0\.0\.1.*1 s|1,?000 ms|timeoutSeconds/i,
    condition: 'Reconciling',
  },
  {
    name: 'answers 429 with Retry-After',
    answer: text(429, 'slow down', { 'retry-after': '1' }),
    reason: 'RateLimited',
    message: /429/,
    condition: 'Reconciling',
    httpStatus: 429,
  },
  {
    name: 'answers 500',
    answer: text(500, 'oops'),
    reason: 'ReceiverUnavailable',
    message: /500.*oops/,
    condition: 'Reconciling',
    httpStatus: 500,
  },
  {
    name: 'answers 503',
    answer: text(503, ''),
    reason: 'ReceiverUnavailable',
    message: /503/,
    condition: 'Reconciling',
    httpStatus: 503,
  },
  {
    name: 'answers 401',
    answer: text(401, 'who are you'),
    reason: 'Unauthorized',
    message: /401.*Authorization/s,
    condition: 'Stalled',
    httpStatus: 401,
  },
  {
    name: 'answers 404',
    answer: text(404, 'nothing here'),
    reason: 'NotFound',
    message: /404.*\/v1\/logs/s,
    condition: 'Stalled',
    httpStatus: 404,
  },
  {
    name: 'answers 200 with a login page',
    answer: {
      status: 200,
      body: '<!doctype html><title>Sign in</title>',
      headers: { 'content-type': 'text/html' },
      stored: false,
    },
    reason: 'NotOtlp',
    message: /html|Sign in/i,
    condition: 'Stalled',
    httpStatus: 200,
  },
  {
    name: 'redirects',
    answer: { status: 302, headers: { location: 'https://login.example.com/sso?x=1' } },
    reason: 'Redirected',
    message: /login\.example\.com\/sso/,
    condition: 'Stalled',
    httpStatus: 302,
  },
  {
    name: 'answers with 10 MB',
    answer: {
      status: 200,
      body: Buffer.alloc(10_000_000, 1),
      headers: { 'content-type': 'application/x-protobuf' },
      stored: false,
    },
    reason: 'AnswerTooLarge',
    message: /64 KiB/,
    condition: 'Stalled',
    httpStatus: 200,
  },
  {
    name: 'refuses everything with 400',
    answer: text(400, 'bad request'),
    reason: 'EntryRefused',
    message: /400.*configuration/s,
    condition: 'Stalled',
    httpStatus: 400,
  },
];

test('a receiver that does everything wrong in turn loses nothing, and the status says each time what is wrong', {
  timeout: 120_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url);
  onTestFinished(() => db.end());
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const collector = await makeCollectorProcess(url);
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    timeoutSeconds: 1,
  });
  collector.start();
  let inserted = 0;
  const insert = async (count: number): Promise<void> => {
    await insertEntries(db, numbered(count));
    inserted += count;
  };
  const recovered = async (): Promise<void> => {
    await receiver.waitFor((r) => r.ledger.storedCount === inserted);
    const status = await collector.waitForStatus(
      'acme',
      (s) => s.conditions[0]?.status === 'True' && s.deliveredEntries === inserted,
    );
    expect(status.conditions).toHaveLength(1);
    expect(status.conditions[0]).toMatchObject({ type: 'Ready', reason: 'Delivering' });
    if (status.lastError) expect(status.lastError.resolvedTime).toBeDefined();
  };
  await insert(3);
  await recovered();

  for (const fault of faults) {
    receiver.answerWith(fault.answer);
    await insert(5);
    const failed = await collector.waitForStatus(
      'acme',
      // A refusal is first looked into (Reconciling) before it is held against the configuration (Stalled).
      (s) => s.conditions[0]?.reason === fault.reason && s.conditions[1]?.type === fault.condition,
    );
    expect(failed.conditions[0]).toMatchObject({ type: 'Ready', status: 'False' });
    expect(failed.conditions[0]?.message, fault.name).toMatch(fault.message);
    expect(failed.conditions[1], fault.name).toMatchObject({ type: fault.condition, status: 'True' });
    expect(failed.lastError, fault.name).toMatchObject({
      reason: fault.reason,
      ...(fault.httpStatus ? { httpStatus: fault.httpStatus } : {}),
    });
    expect(failed.lastError?.resolvedTime, fault.name).toBeUndefined();
    receiver.answerWith(ok);
    await recovered();
  }

  await receiver.refuse();
  await insert(5);
  const refused = await collector.waitForStatus(
    'acme',
    (s) => s.conditions[0]?.reason === 'ConnectionRefused',
  );
  expect(refused.conditions[0]?.message).toMatch(/127\.0\.0\.1:\d+: connection refused/);
  await receiver.listen();
  await recovered();

  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
  expect(receiver.problems).toEqual([]);
});

test('a defect of its own is said aloud, and holds its stream until it is over', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  let isBroken = true;
  const engine = await startEngine(db, {
    send: async () => {
      if (isBroken) throw new TypeError('x is not a function');
      return { kind: 'settled', rejected: 0, message: '' };
    },
  });
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.activity === 'holding' && h.failure?.reason === 'InternalError');
  expect(
    engine.log.some((line) => line.includes('"level":"error"') && line.includes('x is not a function')),
  ).toBe(true);
  isBroken = false;
  await engine.waitForHealth((h) => h.delivered === 3 && h.failure === null);
});

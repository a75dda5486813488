/** What a config says of its stream: where it starts, what it leaves out, when it rests. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filterCondition } from '../../src/database/filterCondition.ts';
import { ownEventTypes } from '../../src/model/ownEvents.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openSession } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, type ReceiverAnswer } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('starts from now: what was committed before stays, what is open at that moment goes', async () => {
  const { url, db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(5, { eventType: 'before' }));
  const open = await openSession(url);
  await open.query('begin');
  await insertEntries(open, [{ eventType: 'open' }]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { startFrom: { kind: 'now' } }));
  await engine.waitForIdle();
  await open.query('commit');
  await open.end();
  await insertEntries(db, [{ eventType: 'after' }]);
  await engine.waitForHealth((h) => h.delivered === 2);
  expect(receiver.records.map((record) => record.eventName).sort()).toEqual(['after', 'open']);
});

test('starts from a time: older entries stay in the first window, later ones go whatever their date', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [
    { eventType: 'old', occurredAt: '2024-01-01T00:00:00Z' },
    { eventType: 'new', occurredAt: '2024-06-01T00:00:00Z' },
  ]);
  const engine = await startEngine(db);
  engine.setConfigs(
    makeConfig(receiver.endpoint, { startFrom: { kind: 'time', time: '2024-03-01T00:00:00Z' } }),
  );
  await engine.waitForHealth((h) => h.delivered === 1);
  await engine.waitForIdle();
  await insertEntries(db, [{ eventType: 'backdated', occurredAt: '2023-01-01T00:00:00Z' }]);
  await engine.waitForHealth((h) => h.delivered === 2);
  expect(receiver.records.map((record) => record.eventName)).toEqual(['new', 'backdated']);
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('leaves out what the filter leaves out, and numbers the rest without a gap', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [
    { eventType: 'flow.created', project: 'web' },
    { eventType: 'flow.secret', project: 'web' },
    { eventType: 'user.invited', project: 'web' },
    { eventType: 'flow.run', project: 'mobile' },
    { eventType: 'flow.run', project: null },
    { eventType: 'flowXcreated', project: 'web' },
    { eventType: 'flow.done', project: 'web' },
  ]);
  const engine = await startEngine(db);
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: ['*.secret'], projects: ['web'] };
  engine.setConfigs(makeConfig(receiver.endpoint, { filter }));
  const health = await engine.waitForIdle();
  expect(receiver.records.map((record) => record.eventName)).toEqual(['flow.created', 'flow.done']);
  expect(receiver.records.map((record) => record.sequence)).toEqual([1, 2]);
  expect(health).toMatchObject({ delivered: 2, pending: 0 });

  // A changed filter begins with the next window; at rest there is none under way.
  engine.setConfigs(makeConfig(receiver.endpoint, { suspend: true }));
  await engine.waitForHealth((h) => h.activity === 'suspended');
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, [{ eventType: 'user.left' }]);
  await engine.waitForHealth((h) => h.delivered === 3);
});

test('what the collector and its page write of themselves passes every filter', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [
    { eventType: 'audit_export.updated' },
    { eventType: 'audit_exports.updated' },
    { eventType: 'audit_logs.exported', project: 'mobile' },
    { eventType: 'audit_log.sealed' },
    { eventType: 'flow.run', project: 'mobile' },
    { eventType: 'flow.run', project: 'web' },
  ]);
  const engine = await startEngine(db);
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: ['audit_*'], projects: ['web'] };
  engine.setConfigs(makeConfig(receiver.endpoint, { filter }));
  await engine.waitForHealth((h) => h.delivered === 4);
  await engine.waitForIdle();
  expect(receiver.records.map((record) => record.eventName)).toEqual([
    'audit_export.updated',
    'audit_logs.exported',
    'audit_log.sealed',
    'flow.run',
  ]);
});

test('a window that was pinned when filters left those out is sent again as it was', () => {
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: [], projects: [] };
  expect(filterCondition(filter)).not.toContain('audit');
  const former = filterCondition({ ...filter, passesOwn: true });
  expect(former).toMatch(/audit\W+_export\.%/);
  expect(former).not.toMatch(/audit\W+_log\.%/);
  expect(filterCondition({ ...filter, passesOwn: ownEventTypes })).toMatch(/audit\W+_log\.%/);
});

test('a filter that matches one entry in ten thousand moves on by bounded pages', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [...numbered(10_000), { eventType: 'rare' }]);
  const engine = await startEngine(db);
  engine.setConfigs(
    makeConfig(receiver.endpoint, { filter: { eventTypes: ['rare'], excludeEventTypes: [], projects: [] } }),
  );
  await engine.waitForHealth((h) => h.delivered === 1);
  await engine.waitForIdle();
  expect(receiver.records).toHaveLength(1);
});

test('sends nothing while suspended, and everything afterwards', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { suspend: true }));
  await engine.waitForHealth((h) => h.activity === 'suspended');
  await insertEntries(db, numbered(10));
  await engine.waitForHealth((h) => h.pending === 10);
  expect(receiver.requestCount).toBe(0);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.delivered === 10);
});

test('several configs of one organization are streams of their own: one that hangs does not hold another', async () => {
  const { db, receiver } = await setUp(postgres);
  const broken = await setUp(postgres);
  broken.receiver.answerWith({ hang: true });
  await insertEntries(db, numbered(100));
  const engine = await startEngine(db);
  engine.setConfigs(
    makeConfig(broken.receiver.endpoint, { key: 'test/broken' }),
    makeConfig(receiver.endpoint, { key: 'test/good' }),
    makeConfig(receiver.endpoint, { key: 'test/other', organization: 'globex' }),
  );
  await engine.waitForHealth((h) => h.delivered === 100, 'test/good');
  await engine.waitForIdle('test/other');
  expect(engine.health('test/broken')).toMatchObject({ delivered: 0 });
});

test('a config that comes back goes on where it was', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(10));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.delivered === 10);
  engine.setConfigs();
  await waitFor(() => engine.health() === null);
  await insertEntries(db, numbered(5));
  engine.setConfigs(makeConfig(receiver.endpoint));
  await receiver.waitFor((r) => r.ledger.storedCount === 15);
  expect(receiver.records).toHaveLength(15);
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('cuts batches to maxBatchSize and to bytes', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(25));
  const engine = await startEngine(db, { maxBatchBytes: 64 * 1024 });
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 10 }));
  await engine.waitForHealth((h) => h.delivered === 25);
  await engine.waitForIdle();
  expect(receiver.requests.map((request) => request.recordCount).sort()).toEqual([10, 10, 5]);
  await insertEntries(
    db,
    Array.from({ length: 20 }, () => ({ metadata: `{"pad": "${'x'.repeat(20_000)}"}` })),
  );
  await engine.waitForHealth((h) => h.delivered === 45);
  const big = receiver.requests.slice(3);
  expect(Math.max(...big.map((request) => request.body.length))).toBeLessThanOrEqual(64 * 1024);
});

test('a prepared transaction is an open one', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const session = await openSession(url);
  await session.query('begin');
  await insertEntries(session, [{ eventType: 'prepared' }]);
  await session.query(`prepare transaction 'p1'`);
  await session.end();
  await insertEntries(db, [{ eventType: 'plain' }]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForHealth((h) => h.delivered === 1);
  await engine.waitForIdle();
  await db.query(`commit prepared 'p1'`);
  await engine.waitForHealth((h) => h.delivered === 2);
  expect(receiver.records.map((record) => record.eventName)).toEqual(['plain', 'prepared']);
});

test('a config that waits for its Secret counts from when it was first seen', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const collector = await makeCollectorProcess(url);
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    headers: [{ name: 'X-Token', valueFrom: { secretKeyRef: { name: 'acme', key: 'token' } } }],
  });
  collector.start();
  await collector.waitForStatus('acme', (status) => status.conditions[0]?.reason === 'SecretNotFound');
  await waitFor(async () => (await db.query('select from audit.streams')).rowCount === 1);
  await insertEntries(db, [{ eventType: 'while.waiting' }]);
  await mkdir(join(collector.directory, 'secrets', 'acme'), { recursive: true });
  await writeFile(join(collector.directory, 'secrets', 'acme', 'token'), 'abc');
  await receiver.waitFor((r) => r.ledger.storedCount === 1);
  expect(receiver.records[0]?.eventName).toBe('while.waiting');
  expect(receiver.requests[0]?.headers['x-token']).toBe('abc');
});

test('a long catch-up says how far it is, and a stream that goes leaves no metric behind', async () => {
  const { db, receiver } = await setUp(postgres);
  let go = (): void => {};
  const mayGo = new Promise<void>((resolve) => {
    go = resolve;
  });
  // By what they hold: of several in flight the later ones may arrive first.
  receiver.answerWith(async ({ records }) => {
    if (Number(records[0]?.sequence) > 2_000) await mayGo;
    return { status: 200 };
  });
  await insertEntries(db, numbered(20_000));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, { maxBatchSize: 100 }));
  const health = await engine.waitForHealth(
    (h) => h.delivered === 2_000 && h.pending === 18_000 && h.ratePerSecond > 0,
  );
  expect(health.oldestPendingAt).not.toBeNull();
  await waitFor(() => engine.log.some((line) => /"pending":18000,.*"msg":"catching up"/.test(line)));
  const text = await engine.metrics.render();
  expect(text).toMatch(/audit_export_pending_entries\{[^}]*name="acme"[^}]*\} 18000/);
  expect(text).toMatch(/audit_export_stream_state\{[^}]*name="acme"[^}]*state="catching-up"\} 1/);
  expect(text).toMatch(/audit_export_oldest_pending_age_seconds\{[^}]*name="acme"/);
  go();
  await engine.waitForHealth((h) => h.delivered === 20_000 && h.activity === 'idle');
  engine.setConfigs();
  await waitFor(async () => !(await engine.metrics.render()).includes('name="acme"'));
});

test('takes back that nothing waits while somebody holds a lock on the row of its stream', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await insertEntries(db, numbered(3));
  await engine.waitForHealth((h) => h.delivered === 3 && h.activity === 'idle' && h.pending === 0);
  const session = await openSession(url);
  await session.query('begin; select from audit.streams for update');
  await insertEntries(db, numbered(5));
  const health = await engine.waitForHealth((h) => h.isBehind && h.pending === 5, undefined, 8_000);
  expect(health.delivered).toBe(3);
  await session.query('rollback');
  await session.end();
  await engine.waitForHealth((h) => h.delivered === 8 && h.pending === 0 && !h.isBehind);
});

test('says that it delivers once something was delivered, not before', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3));
  let answer: (value: ReceiverAnswer) => void = () => {};
  receiver.answerWith(
    () =>
      new Promise<ReceiverAnswer>((resolve) => {
        answer = resolve;
      }),
  );
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await waitFor(() => receiver.requestCount > 0);
  expect(engine.health()).toMatchObject({ activity: 'starting', delivered: 0 });
  answer(ok);
  expect(await engine.waitForIdle()).toMatchObject({ delivered: 3 });
});

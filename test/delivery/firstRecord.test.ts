/** A new destination proves itself: the entry that it was created is its stream's first record, also with startFrom: Now. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { ensureStreams } from '../../src/database/streams.ts';
import { insertEntries, migrateDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const created = {
  eventType: 'audit_export.created',
  metadata: '{"destination": "test.siem", "host": "siem.example.com"}',
};
const deleted = { ...created, eventType: 'audit_export.deleted' };
const configDeleted = { ...created, eventType: 'audit_export.config_deleted' };
const now = { kind: 'now' } as const;
const makeKey = () => `${randomUUID()}/siem`;

/** The event types that a stream made now would deliver, while other transactions are open before and after. */
async function readFirst(db: Database, destination = 'test.siem'): Promise<string[]> {
  const configKey = makeKey();
  await ensureStreams(db, [{ configKey, organization: 'acme', destination, startFrom: now }]);
  const result = await db.query<{ type: string }>(
    `select e.event_type as type from audit.entries e join audit.streams s using (organization)
     where s.config_key = $1 and e.cluster = s.cluster and not pg_visible_in_snapshot(e.xid, s.settled) order by e.id`,
    [configKey],
  );
  return result.rows.map(({ type }) => type);
}

test('an entry of before that the destination was created is the first record, whatever the filter; nothing else of before is', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, [{}, {}]);
  await insertEntries(db, [{ ...created, metadata: '{"destination": "test.other"}' }]);
  // Open while the stream is made: its row comes when it commits.
  const open = await db.connect();
  await open.query('begin');
  await insertEntries(open, [{ eventType: 'flow.late' }]);
  await insertEntries(db, [created]);
  await insertEntries(db, [{}]);
  const filter = { eventTypes: ['flow.*'], excludeEventTypes: ['audit_export.*'], projects: ['none'] };
  const engine = await startEngine(db);
  const key = makeKey();
  engine.setConfigs(makeConfig(receiver.endpoint, { key, startFrom: now, filter }));
  await receiver.waitFor((r) => r.ledger.storedCount === 1);
  await engine.waitForIdle(key);
  expect(receiver.records.map(({ eventName }) => eventName)).toEqual(['audit_export.created']);

  // Not the same process: it may just be pinning a window, for which the former filter holds.
  await engine.stop();
  const next = await startEngine(db);
  next.setConfigs(makeConfig(receiver.endpoint, { key, startFrom: now }));
  await open.query('commit');
  open.release();
  await receiver.waitFor((r) => r.ledger.storedCount === 2);
  await next.waitForIdle(key);
  expect(receiver.records.map(({ eventName }) => eventName)).toEqual(['audit_export.created', 'flow.late']);
  expect(receiver.ledger.missingSequences()).toEqual([]);
});

test('an entry that an earlier config of the name was created is not taken', async () => {
  const { db } = await setUp(postgres);
  await insertEntries(db, [created]);
  // It was the first stream's, whether that was made before or after it.
  expect(await readFirst(db)).toEqual(['audit_export.created']);
  expect(await readFirst(db)).toEqual([]);
  await insertEntries(db, [deleted]);
  await insertEntries(db, [created]);
  expect(await readFirst(db)).toEqual(['audit_export.created']);
  await insertEntries(db, [deleted]);
  await insertEntries(db, [created]);
  await insertEntries(db, [configDeleted]);
  expect(await readFirst(db)).toEqual([]);
});

test('what is committed after it, and before the stream is there, follows it', async () => {
  const { db } = await setUp(postgres);
  await insertEntries(db, [{ eventType: 'flow.before' }]);
  const [early, late] = [await db.connect(), await db.connect()];
  for (const [session, eventType] of [
    [early, 'flow.early'],
    [late, 'flow.late'],
  ] as const) {
    if (session === late) await insertEntries(db, [created]);
    await session.query('begin');
    await insertEntries(session, [{ eventType }]);
  }
  await insertEntries(db, [{ eventType: 'flow.between' }]);
  expect(await readFirst(db)).toEqual(['audit_export.created', 'flow.between']);
  const { rows } = await db.query('select id from audit.streams');
  for (const session of [early, late]) {
    await session.query('commit');
    session.release();
  }
  const left = await db.query(
    `select e.event_type as type from audit.entries e, audit.streams s
     where s.id = $1 and not pg_visible_in_snapshot(e.xid, s.settled) order by e.id`,
    [rows[0].id],
  );
  expect(left.rows.map(({ type }) => type)).toEqual([
    'flow.early',
    'audit_export.created',
    'flow.late',
    'flow.between',
  ]);
});

test('an entry from another cluster, or from long ago, is not taken', async () => {
  const { db } = await setUp(postgres);
  await insertEntries(db, [{ ...created, occurredAt: new Date(Date.now() - 3_600_000).toISOString() }]);
  expect(await readFirst(db)).toEqual([]);
  await insertEntries(db, [{ ...created, metadata: '{"destination": "test.moved"}' }]);
  await db.query(`update audit.entries set cluster = 7, xid = '5000000000'`);
  expect(await readFirst(db, 'test.moved')).toEqual([]);
});

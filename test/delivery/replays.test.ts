/** A range of entries that somebody asks to be sent once more: exactly it, beside new entries, across failures and restarts. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { claimReplay, pinReplay, readReplays } from '../../src/database/replays.ts';
import { describeReplay } from '../../src/model/replay.ts';
import type { ReplayStatus } from '../../src/model/streamStatus.ts';
import { insertEntries, migrateDatabase, numbered, openSession } from '../tools/database.ts';
import { type Engine, makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import type { ReceivedRecord, Receiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

const day = (number: number): string => `2026-03-0${number}T00:00:00Z`;
const replayOf = ({ attributes }: ReceivedRecord) => attributes.get('audit.replay.id');
const replayed = (receiver: Receiver) => receiver.records.filter((record) => replayOf(record) !== undefined);
const typesOf = (records: readonly ReceivedRecord[]) => records.map((record) => record.eventName);

async function ask(db: Database, since: string, until: string, name = 'acme'): Promise<string> {
  const result = await db.query<{ id: string }>('select audit.replay($1, $2, $3) as id', [
    name,
    since,
    until,
  ]);
  return result.rows[0]?.id ?? '';
}

async function waitForReplay(
  engine: Engine,
  id: string,
  state: ReplayStatus['state'],
): Promise<ReplayStatus> {
  const health = await engine.waitForHealth(({ replay }) => replay?.id === id && replay.state === state);
  return health.replay as ReplayStatus;
}

/** Everything is delivered; days 1 to 4, one entry each in transactions of their own, and not in the order of their dates. */
async function deliverFourDays(options: Parameters<typeof makeConfig>[1] = {}) {
  const { url, db, receiver } = await setUp(postgres);
  for (const number of [3, 1, 2, 4]) {
    await insertEntries(db, [{ eventType: `day.${number}`, occurredAt: day(number) }]);
  }
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint, options));
  await engine.waitForHealth((health) => health.activity === 'idle' && health.delivered > 0);
  return { url, db, receiver, engine };
}

test('sends exactly the range, once more, as records that say so', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  const id = await ask(db, day(2), day(4));
  const status = await waitForReplay(engine, id, 'Done');
  expect(status).toMatchObject({ sentEntries: 2, totalEntries: 2, from: '2026-03-02T00:00:00.000000Z' });
  expect(status.message).toBe('2 entries sent again.');

  const again = replayed(receiver);
  expect(typesOf(again)).toEqual(['day.3', 'day.2']);
  expect(again.map((record) => record.sequence)).toEqual([1, 2]);
  expect(new Set(again.map(replayOf))).toEqual(new Set([id]));
  expect(new Set(again.map(({ attributes }) => attributes.get('audit.stream.id')))).toEqual(new Set([id]));
  const first = receiver.records.filter((record) => replayOf(record) === undefined);
  expect(first.find(({ eventName }) => eventName === 'day.3')?.uid).toBe(again[0]?.uid);

  // The organization is told, and the stream itself has its own numbers.
  await receiver.waitFor((all) => typesOf(all.records).includes('audit_export.replay_requested'));
  const own = receiver.records.filter((record) => replayOf(record) === undefined);
  expect(own.map((record) => record.sequence)).toEqual([1, 2, 3, 4, 5]);
  expect(engine.health()).toMatchObject({ delivered: 5, activity: 'idle', pending: 0 });
  expect(await engine.metrics.render()).toContain(
    'audit_export_replayed_entries_total{namespace="test",name="acme",organization="acme"} 2',
  );
});

test('takes what the filter lets through now, and nothing of an empty range', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  engine.setConfigs(
    makeConfig(receiver.endpoint, {
      filter: { eventTypes: [], excludeEventTypes: ['day.3'], projects: [] },
    }),
  );
  const filtered = await waitForReplay(engine, await ask(db, '-infinity', day(4)), 'Done');
  expect(filtered).toMatchObject({ sentEntries: 2, totalEntries: 2 });
  const empty = await waitForReplay(engine, await ask(db, '1999-01-01', '1999-01-02'), 'Done');
  expect(empty.message).toBe('There was no entry in this range to send.');
  expect(typesOf(replayed(receiver))).toEqual(['day.1', 'day.2']);
});

test('goes on where it was after a restart, with unbroken numbers, and new entries go first', async () => {
  const { db, receiver } = await setUp(postgres);
  await insertEntries(db, numbered(3_000, { occurredAt: day(1) }));
  const config = makeConfig(receiver.endpoint, { maxBatchSize: 10 });
  const first = await startEngine(db, { maxRequestsInFlight: 1 });
  first.setConfigs(config);
  await first.waitForHealth((health) => health.delivered === 3_000);
  const newEntry = Promise.withResolvers<void>();
  const restart = Promise.withResolvers<void>();
  let isNewThere = false;
  receiver.answerWith(async ({ records }) => {
    if (records[0]?.eventName === 'while.it.runs') isNewThere = true;
    else if (isNewThere) await restart.promise;
    else if (records[0] && replayOf(records[0]) !== undefined && records[0].sequence > 200)
      await newEntry.promise;
    return { status: 200 };
  });
  const id = await ask(db, day(1), day(2));
  await receiver.waitFor((all) => replayed(all).some(({ sequence }) => sequence > 200));
  await insertEntries(db, [{ eventType: 'while.it.runs' }]);
  newEntry.resolve();
  await receiver.waitFor((all) => typesOf(all.records).includes('while.it.runs'));
  expect(replayed(receiver).length).toBeLessThan(3_000);
  await first.stop(100);
  restart.resolve();

  const second = await startEngine(db);
  second.setConfigs(config);
  const status = await waitForReplay(second, id, 'Done');
  expect(status).toMatchObject({ sentEntries: 3_000, totalEntries: 3_000 });
  expect(receiver.ledger.missingSequences(id)).toEqual([]);
  expect(receiver.ledger.sightings(id).size).toBe(3_000);
  expect(receiver.ledger.differences).toEqual([]);
});

test('fails beside a stream that goes on, and says so', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  receiver.answerWith(({ records }) => ({
    status: records.some((record) => replayOf(record) !== undefined) ? 503 : 200,
  }));
  const id = await ask(db, day(1), day(5));
  const failing = await waitForReplay(engine, id, 'Failing');
  expect(failing.message).toContain('0 of 4 entries sent again.');
  expect(failing.message).toContain('503');
  await insertEntries(db, [{ eventType: 'new' }]);
  await receiver.waitFor((all) => typesOf(all.records).includes('new'));
  const health = await engine.waitForHealth((now) => now.delivered === 6 && now.activity === 'idle');
  expect(health).toMatchObject({ failure: null, lastError: null });
  receiver.answerWith({ status: 200 });
  expect(await waitForReplay(engine, id, 'Done')).toMatchObject({ sentEntries: 4 });
});

test('sets aside what the receiver refuses, and counts it', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  receiver.answerWith(({ records }) => ({
    status: records.some((record) => replayOf(record) !== undefined && record.eventName === 'day.1')
      ? 400
      : 200,
  }));
  const status = await waitForReplay(engine, await ask(db, day(1), day(5)), 'Done');
  expect(status).toMatchObject({ sentEntries: 3, totalEntries: 4 });
  const refused = 'The receiver refused 1 entry of them, or it cannot be read; it is not tried again.';
  expect(status.message).toBe(`3 entries sent again. ${refused}`);
  expect(engine.health()).toMatchObject({ parked: 0 });
  // As retention does, which lets go of the entry and of its refusal.
  await db.query('delete from audit.parked');
  const [stream] = (await db.query('select id from audit.streams where replay_of is null')).rows;
  const [kept] = await readReplays(db, stream.id, 1);
  expect(kept && describeReplay(kept)).toBe(`3 entries sent again. ${refused}`);
});

test('sends what it has counted, also when more of the range is committed in between', async () => {
  const { url, db } = await setUp(postgres);
  const late = await openSession(url);
  onTestFinished(() => late.end());
  await insertEntries(db, [{ eventType: 'early', occurredAt: day(2) }]);
  await late.query('begin');
  await insertEntries(late as unknown as Database, [{ eventType: 'late', occurredAt: day(2) }]);
  await insertEntries(db, [{ eventType: 'last', occurredAt: day(2) }]);
  const { rows } = await db.query<{ id: string; token: string }>(
    `insert into audit.streams (config_key, organization, destination, cluster, settled, token)
     values ('k', 'acme', 'test.acme', audit.cluster_id(), pg_current_snapshot(), 5) returning id, token::text`,
  );
  await ask(db, day(1), day(5));
  const claimed = await claimReplay(db, rows[0] as { id: string; token: string });
  if (!claimed) throw new Error('not claimed');
  // It commits after the count, and before the pin.
  const between = Object.create(db, {
    query: {
      value: async (...statement: unknown[]) => {
        if (String(statement[0]).includes('window_pinned_at')) await late.query('commit');
        return (db.query as (...all: unknown[]) => unknown)(...statement);
      },
    },
  }) as Database;
  const filter = { eventTypes: [], excludeEventTypes: [], projects: [] };
  expect(await pinReplay(between, claimed.row, claimed.replay, filter)).toMatchObject({
    kind: 'pinned',
    total: 2,
  });
  const visible = await db.query(
    `select e.event_type as type from audit.entries e join audit.streams s on s.replay_of is not null
     where pg_visible_in_snapshot(e.xid, s.window_snapshot) and e.occurred_at = $1 order by e.id`,
    [day(2)],
  );
  expect(visible.rows.map(({ type }) => type)).toEqual(['early', 'last']);
});

test('reads what was written in another cluster too', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  await db.query('alter table audit.entries disable trigger take_over_entry');
  await db.query(
    `insert into audit.entries (organization, event_type, metadata, occurred_at, cluster, xid)
     values ('acme', 'old.cluster', '{}', $1, 42, '4294967295')`,
    [day(2)],
  );
  await db.query('insert into audit.clusters (system_identifier) values (42)');
  const status = await waitForReplay(engine, await ask(db, day(2), day(3)), 'Done');
  expect(status).toMatchObject({ sentEntries: 2, totalEntries: 2 });
  expect(typesOf(replayed(receiver))).toEqual(['old.cluster', 'day.2']);
  expect(replayed(receiver).map((record) => record.sequence)).toEqual([1, 2]);
});

test('the annotation asks once for each of its values, whoever restarts', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  const replay = { since: day(1), until: day(3), request: `${day(1)}/${day(3)}` };
  engine.setConfigs(makeConfig(receiver.endpoint, { replay }));
  await engine.waitForHealth((health) => health.replay?.state === 'Done');
  await engine.stop();
  // The replay itself is forgotten after a month; that it was asked for is not.
  await db.query(
    `update audit.streams set replay_ended_at = now() - interval '31 days' where replay_of is not null`,
  );
  const second = await startEngine(db);
  second.setConfigs(makeConfig(receiver.endpoint, { replay }));
  await insertEntries(db, [{ eventType: 'last' }]);
  await receiver.waitFor((all) => typesOf(all.records).includes('last'));
  await second.waitForHealth((health) => health.activity === 'idle' && (health.replay ?? null) === null);
  expect(replayed(receiver)).toHaveLength(2);

  const future = { since: '2199-01-01T00:00:00Z', until: '2199-02-01T00:00:00Z', request: 'future' };
  second.setConfigs(makeConfig(receiver.endpoint, { replay: future }));
  await second.waitForHealth(() => second.supervisor.remarksOf('test/acme').length === 1);
  expect(second.supervisor.remarksOf('test/acme')[0]?.message).toMatch(
    /is not before .*: correct one of the two/,
  );
});

test('an annotation that is refused while ten wait is granted when one of them has ended', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  receiver.answerWith(({ records }) => ({
    status: records.some((record) => replayOf(record) !== undefined) ? 503 : 200,
  }));
  for (let n = 0; n < 10; n++) await ask(db, day(1), day(2));
  const replay = { since: day(1), until: day(3), request: `${day(1)}/${day(3)}` };
  engine.setConfigs(makeConfig(receiver.endpoint, { replay }));
  await engine.waitForHealth(() => engine.supervisor.remarksOf('test/acme').length === 1);
  expect(engine.supervisor.remarksOf('test/acme')[0]?.message).toContain('Ten replays of this export');
  receiver.answerWith({ status: 200 });
  await engine.waitForHealth((health) => health.replay?.state === 'Done' && health.replay.until > day(2));
  expect(engine.supervisor.remarksOf('test/acme')).toEqual([]);
  const { rows } = await db.query('select count(*)::int as n from audit.streams where replay_of is not null');
  expect(rows).toEqual([{ n: 11 }]);
});

describe('asking', () => {
  test('is refused in one sentence that names the way out', async () => {
    const { db } = await deliverFourDays();
    await expect(ask(db, day(3), day(2))).rejects.toThrow(
      /2026-03-03 .* is not before 2026-03-02 .*: correct/,
    );
    await expect(ask(db, day(1), day(2), 'nobody')).rejects.toThrow('There is no destination nobody: select');
    await expect(db.query(`select audit.replay('acme', null, now())`)).rejects.toThrow('needs both times');
    const other = makeConfig('http://127.0.0.1:9', { key: 'test/acme', organization: 'globex' });
    const engine = await startEngine(db, { replicaName: 'other' });
    engine.setConfigs({ ...other, key: 'other/acme' });
    await engine.waitForHealth(() => true, 'other/acme');
    await expect(ask(db, day(1), day(2))).rejects.toThrow(
      'may be any of: test.acme of acme, test.acme of globex',
    );
  });

  test('can be taken back, and at most ten wait', async () => {
    const { db, receiver, engine } = await deliverFourDays();
    receiver.answerWith(({ records }) => ({
      status: records.some((record) => replayOf(record) !== undefined) ? 503 : 200,
    }));
    const id = await ask(db, day(1), day(5));
    await waitForReplay(engine, id, 'Failing');
    for (let more = 1; more < 10; more += 1) await ask(db, day(1), day(2));
    await expect(ask(db, day(1), day(2))).rejects.toThrow('Ten replays of this export are not done yet');
    await db.query('select audit.cancel_replay(id) from audit.streams where replay_of is not null');
    const status = await engine.waitForHealth((health) => health.replay?.state === 'Canceled');
    expect(status.replay?.message).toContain('It was canceled by ');
    receiver.answerWith({ status: 200 });
    const next = await waitForReplay(engine, await ask(db, day(4), day(5)), 'Done');
    expect(next.sentEntries).toBe(1);
    expect(typesOf(replayed(receiver).filter((record) => replayOf(record) === next.id))).toEqual(['day.4']);
  });
});

test('retention waits for no replay, which says what was gone before', async () => {
  const { db, receiver, engine } = await deliverFourDays();
  // What it has read it would send: the next try is not before they are gone.
  receiver.answerWith(({ records }) => ({
    status: records.some((record) => replayOf(record) !== undefined) ? 503 : 200,
    headers: { 'retry-after': '2' },
  }));
  const id = await ask(db, day(1), day(5));
  await waitForReplay(engine, id, 'Failing');
  await db.query(`select audit.set_retention('acme', '1 day')`);
  const deleted = await db.query<{ deleted: number }>(`select deleted from audit.delete_expired('acme')`);
  expect(deleted.rows[0]?.deleted).toBe(4);
  receiver.answerWith({ status: 200 });
  const status = await waitForReplay(engine, id, 'Done');
  expect(status.message).toContain('4 entries were counted at its start and were gone when it came to them.');
  const later = await waitForReplay(engine, await ask(db, day(1), day(5)), 'Done');
  expect(later.message).toContain('Retention had let go of up to 4 entries dated in this range before');
});

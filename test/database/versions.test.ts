/** What the engine needs of Postgres, on each major version that is supported. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { hasNewEntries } from '../../src/database/fragments.ts';
import { pageQuery } from '../../src/database/pageQuery.ts';
import type { Database } from '../../src/database/pool.ts';
import type { Position, StreamRow, WindowFilter } from '../../src/model/stream.ts';
import {
  insertEntries,
  migrateDatabase,
  numbered,
  openDatabase,
  openSession,
  uidsOf,
} from '../tools/database.ts';
import { type ConfigOptions, makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { otherMajors } from '../tools/postgresVersions.ts';
import { makeRole } from '../tools/roles.ts';
import { setUp } from '../tools/setUp.ts';
import { collectScans, explain } from './explain.ts';

const noFilter: WindowFilter = { eventTypes: [], excludeEventTypes: [], projects: [] };

describe.each(['embedded' as const, ...otherMajors])('on Postgres: %s', (which) => {
  describe('the engine', () => {
    // Without autovacuum the planner knows nothing of the table until a test says so.
    const postgres = usePostgres({ which, prepare: migrateDatabase, settings: { autovacuum: 'off' } });

    async function start(options?: ConfigOptions) {
      const parts = await setUp(postgres);
      const engine = await startEngine(parts.db);
      engine.setConfigs(makeConfig(parts.receiver.endpoint, options));
      return { ...parts, engine };
    }

    test('delivers 2,500 entries, each once, in one order', async () => {
      const { db, receiver, engine } = await start();
      await insertEntries(db, numbered(2_500));
      await receiver.waitFor((r) => r.ledger.storedCount === 2_500);
      await engine.waitForIdle();
      expect(receiver.records).toHaveLength(2_500);
      expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
      expect(receiver.ledger.missingSequences()).toEqual([]);
      const inOrder = [...receiver.records].sort((a, b) => a.sequence - b.sequence);
      expect(inOrder.map(({ body }) => body)).toEqual(
        Array.from({ length: 2_500 }, (_, i) => new Map([['n', BigInt(i + 1)]])),
      );
    });

    test('delivers what commits late, and nothing of a savepoint that was rolled back', async () => {
      const { url, db, receiver, engine } = await start();
      await engine.waitForIdle();
      const late = await openSession(url);
      await late.query('begin');
      await insertEntries(late, [{ eventType: 'late' }]);
      await late.query('savepoint one');
      await insertEntries(late, [{ eventType: 'kept in a savepoint' }]);
      await late.query('release one; savepoint two');
      await insertEntries(late, [{ eventType: 'rolled back' }]);
      await late.query('rollback to two');
      await insertEntries(db, [{ eventType: 'early' }]);
      await receiver.waitFor((r) => r.ledger.storedCount === 1);
      await engine.waitForIdle();
      await insertEntries(late, [{ eventType: 'later still' }]);
      await late.query('commit');
      await late.end();
      await receiver.waitFor((r) => r.ledger.storedCount === 4);
      await engine.waitForIdle();
      expect(receiver.records.map((record) => record.eventName)).toEqual([
        'early',
        'late',
        'kept in a savepoint',
        'later still',
      ]);
      expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    });

    test('takes a prepared transaction for an open one', async () => {
      const { url, db, receiver, engine } = await start();
      const session = await openSession(url);
      for (const [name, fate] of [
        ['kept', 'commit'],
        ['dropped', 'rollback'],
      ] as const) {
        await session.query('begin');
        await insertEntries(session, [{ eventType: name }]);
        await session.query(`prepare transaction '${name}'`);
        await insertEntries(db, [{ eventType: `beside ${name}` }]);
        await receiver.waitFor((r) => r.records.some((record) => record.eventName === `beside ${name}`));
        await session.query(`${fate} prepared '${name}'`);
      }
      await session.end();
      await receiver.waitFor((r) => r.ledger.storedCount === 3);
      await engine.waitForIdle();
      expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    });

    test('lets through what the filter names, with wildcards and with LIKE taken literally', async () => {
      const filter = {
        eventTypes: ['flow.*', '100%_*'],
        excludeEventTypes: ['*.read'],
        projects: ['web', `o'brien`],
      };
      const { db, receiver, engine } = await start({ filter });
      await insertEntries(db, [
        { eventType: 'flow.created', project: 'web' },
        { eventType: 'flow.read', project: 'web' },
        { eventType: 'flow.created', project: 'api' },
        { eventType: 'flow.created', project: null },
        { eventType: 'flowXcreated', project: 'web' },
        { eventType: '100%_sure', project: `o'brien` },
        { eventType: '100 x sure', project: 'web' },
      ]);
      await receiver.waitFor((r) => r.ledger.storedCount === 2);
      await engine.waitForIdle();
      expect(receiver.records.map((record) => record.eventName)).toEqual(['flow.created', '100%_sure']);
    });

    test('reads every column exactly: nulls, unicode, times at both ends', async () => {
      const { db, receiver, engine } = await start();
      const odd = `Zoë "Ω" 😀\n\\ \u0001'`;
      await db.query(
        `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
         values ('acme', $1, null, null, default, null, 'null', '1970-01-01 00:00:00+00'),
           ('acme', 'x', $1, $1, $1, $1, $2, '2199-12-31 23:59:59.999999+00'),
           ('acme', 'x', '', '', 'user', '', '""', '2026-03-29 01:59:59.123457+05:30')`,
        [odd, `{"${'k'.repeat(300)}": [9223372036854775807, 1.10, "é😀", {}]}`],
      );
      await receiver.waitFor((r) => r.ledger.storedCount === 3);
      await engine.waitForIdle();
      const { rows } = await db.query<{ id: string; uid: string; nanos: string }>(
        `select id, uid, (extract(epoch from occurred_at) * 1000000)::bigint || '000' as nanos from audit.entries order by id`,
      );
      const shown = receiver.records.map(({ timeUnixNano, eventName, attributes, body }) => {
        const varying = new Map(attributes);
        for (const key of ['audit.stream.id', 'audit.sequence.number', 'audit.event.type'])
          varying.delete(key);
        return { timeUnixNano, eventName, attributes: Object.fromEntries(varying), body };
      });
      const common = (at: number) => ({
        'log.record.uid': rows[at]?.uid,
        'audit.entry.id': BigInt(rows[at]?.id ?? 0),
      });
      const named = (name: string) => ({ 'user.id': name, 'user.name': name, 'audit.project.id': name });
      expect(shown).toEqual([
        {
          timeUnixNano: 0n,
          eventName: odd,
          attributes: { ...common(0), 'audit.session.type': 'user' },
          body: null,
        },
        {
          timeUnixNano: 7_258_118_399_999_999_000n,
          eventName: 'x',
          attributes: { ...common(1), 'audit.session.type': odd, ...named(odd) },
          body: new Map([['k'.repeat(300), [9_223_372_036_854_775_807n, 1.1, 'é😀', new Map()]]]),
        },
        {
          timeUnixNano: 1_774_729_799_123_457_000n,
          eventName: 'x',
          attributes: { ...common(2), 'audit.session.type': 'user', ...named('') },
          body: '',
        },
      ]);
      expect(rows.map((row) => BigInt(row.nanos))).toEqual(shown.map((record) => record.timeUnixNano));
    });

    test('works for roles that own nothing', async () => {
      const { url, db, receiver } = await setUp(postgres);
      const [writer, collector] = [await makeRole(db, url), await makeRole(db, url)];
      await db.query('select audit.grant_writer($1), audit.grant_collector($2)', [
        writer.role,
        collector.role,
      ]);
      const session = await openSession(writer.url);
      await session.query(
        `insert into audit.entries (organization, event_type, metadata) values ('acme', 'x', '{}')`,
      );
      await session.end();
      const asCollector = openDatabase(collector.url);
      onTestFinished(() => asCollector.end());
      const engine = await startEngine(asCollector);
      engine.setConfigs(makeConfig(receiver.endpoint));
      await engine.waitForHealth((health) => health.activity === 'idle' && health.delivered === 1);
      expect(receiver.ledger.storedUids()).toEqual(await uidsOf(db));
    });

    // The plans of the majors in between lie between those of the ends.
    if (which === 'embedded' || which === 14)
      describe('with a million rows', () => {
        let db: Database;
        let cluster = '';
        beforeAll(async () => {
          const url = await postgres.createDatabase();
          db = openDatabase(url, 2);
          cluster = await fillWithMillion(url);
        });
        afterAll(() => db?.end());

        const window = (settled: string, filter = noFilter): StreamRow & { window: object } => ({
          id: '018f2c1e-0000-7000-8000-000000000000',
          configKey: '',
          organization: 'acme',
          cluster,
          settled,
          window: { snapshot: '101000:101000:', pinnedAtMicros: 0, filter },
          position: null,
          sequence: 0,
          token: '',
          delivered: 0,
          rejected: 0,
          lastDeliveryAt: null,
          lastError: null,
          outage: null,
          lastRecord: null,
        });
        const rare = { ...noFilter, eventTypes: ['nobody.*'] };
        const cases: Array<
          [name: string, settled: string, after: Position | null, branches: number, filter?: WindowFilter]
        > = [
          ['the first page of all', '3:3:', null, 1],
          ['a page in the middle', '3:3:', { xid: 51_000n, id: 500_005n }, 1],
          ['the last page', '3:3:', { xid: 100_900n, id: 999_005n }, 1],
          ['a page of a filter that matches nothing', '3:3:', { xid: 51_000n, id: 500_005n }, 1, rare],
          ['a page behind a settled snapshot', '90000:90000:', null, 1],
          ['a page with entries that committed late', '40000:90000:40000,40007,50000', null, 2],
          ['a later page of those', '40000:90000:40000,40007,50000', { xid: 40_007n, id: 390_075n }, 3],
        ];

        describe.each(['never analyzed', 'analyzed'])('%s', (state) => {
          beforeAll(async () => {
            if (state === 'analyzed') await db.query('analyze audit.entries');
          });

          test.each(cases)('%s is read by the index alone', async (_, settled, after, branches, filter) => {
            const stream = window(settled, filter) as Parameters<typeof pageQuery>[0];
            const plan = await explain(db, pageQuery(stream, after, 1_000));
            const scans = collectScans(plan).filter((scan) => scan.relation === 'entries');
            expect(scans.map((scan) => scan.index)).toEqual(Array(branches).fill('entries_stream_order'));
            // 1,000 rows lie on some 40 pages of the table and 20 of the index; the whole has 20,000.
            expect(plan.buffers).toBeLessThan(400);
            // The proof comes before the entries.
            expect(plan.rows).toBeLessThanOrEqual(1_001);
          });

          test('a look for new entries of idle streams costs a few pages each', async () => {
            const plan = await explain(db, `select s.id from audit.streams s where ${hasNewEntries}`);
            expect(plan.rows).toBe(0);
            const scans = collectScans(plan).filter((scan) => scan.relation === 'entries');
            expect(new Set(scans.map((scan) => scan.index))).toEqual(new Set(['entries_stream_order']));
            expect(plan.buffers).toBeLessThan(50 * 12);
          });
        });
      });
  });
});

/**
 * Entries of transactions 1,000 to 101,000, ten each, of an organization that has six of ten rows and 40 others; and 50
 * streams that have delivered everything. Returns the cluster's identifier.
 */
async function fillWithMillion(url: string): Promise<string> {
  const db = await openSession(url);
  const table = `'audit.entries'::regclass`;
  const indexes = await db.query<{ name: string; sql: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as sql
     from pg_index where indrelid = ${table} and not indisprimary`,
  );
  const checks = await db.query<{ name: string; sql: string }>(
    `select conname as name, pg_get_constraintdef(oid) as sql
     from pg_constraint where conrelid = ${table} and contype = 'c'`,
  );
  // Indexes, check and trigger come back afterwards: row by row they took more than half of the time.
  for (const { name } of indexes.rows) await db.query(`drop index ${name}`);
  for (const { name } of checks.rows) await db.query(`alter table audit.entries drop constraint ${name}`);
  await db.query('alter table audit.entries disable trigger user');
  await db.query(
    `insert into audit.entries (organization, event_type, metadata, xid)
     select case when n % 10 < 6 then 'acme' else 'other-' || n / 10 % 10 || n % 10 end, 'flow.created', '{"n": 1}',
       (n / 10 + 1000)::text::xid8
     from generate_series(1, 1000000) n`,
  );
  await db.query('alter table audit.entries enable always trigger take_over_entry');
  for (const { name, sql } of checks.rows)
    await db.query(`alter table audit.entries add constraint ${name} ${sql}`);
  for (const { sql } of indexes.rows) await db.query(sql);
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled)
     select 'config-' || n, case when n % 2 = 0 then 'acme' else 'other-' || n / 10 % 10 || n % 10 end, audit.cluster_id(),
       '101002:101010:101005,101007'
     from generate_series(1, 50) n`,
  );
  const cluster = await db.query<{ id: string }>('select audit.cluster_id()::text as id');
  await db.end();
  return cluster.rows[0]?.id ?? '';
}

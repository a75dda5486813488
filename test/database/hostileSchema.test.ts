/** Whoever may create functions and operators in `public`, or in a schema with a role's name, gains nothing by it. */
import session from 'connect-pg-simple';
import expressSession from 'express-session';
import { describe, expect, onTestFinished, test } from 'vitest';
import { countBacklog } from '../../src/database/backlog.ts';
import { checkServer, checkTables } from '../../src/database/check.ts';
import { moveCluster, registerClusters } from '../../src/database/clusters.ts';
import { readDeliveries } from '../../src/database/deliveries.ts';
import { readEntries, readEntry, writeEntry } from '../../src/database/entries.ts';
import { findLastChange } from '../../src/database/exportChanges.ts';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { countCommittedSince } from '../../src/database/newEntries.ts';
import { listOrganizations } from '../../src/database/organizations.ts';
import {
  deleteExpired,
  findDue,
  findOrganizations,
  isAnyRetained,
  readRetention,
  readRetentionState,
  useRetentionDays,
} from '../../src/database/retention.ts';
import { listParked, readStreams, requestReplay } from '../../src/database/streamViews.ts';
import { readFacet } from '../../src/search/facets.ts';
import { findEntries } from '../../src/search/findEntries.ts';
import { readHistogram } from '../../src/search/histogram.ts';
import { indexAll } from '../../src/search/indexer.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { queryOf } from '../search/entries.ts';
import { numbered, openDatabase, openSession, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { makeHostile } from './hostile.ts';

describe.each(['embedded' as const, 14 as const])('on Postgres: %s', (which) => {
  const postgres = usePostgres({ which });

  test.each([
    ['as Postgres has it', undefined],
    ['with what others made before what Postgres has', '"$user", public, pg_catalog'],
  ])(
    'no statement calls a function of another schema, with a search_path %s',
    async (_, path) => {
      const url = await postgres.createDatabase();
      const superuser = openDatabase(url, 1);
      onTestFinished(() => superuser.end());
      const owner = await makeRole(superuser, url);
      const collector = await makeRole(superuser, url);
      const writer = await makeRole(superuser, url);
      const name = new URL(url).pathname.slice(1);
      await superuser.query(`grant create on database ${name} to "${owner.role}"`);
      const schemas = [owner.role, collector.role];
      for (const schema of schemas)
        await superuser.query(`create schema "${schema}"; grant usage on schema "${schema}" to public`);
      const countCalls = await makeHostile(superuser, ['public', ...schemas]);
      if (path !== undefined)
        for (const { role } of [owner, collector, writer])
          await superuser.query(`alter role "${role}" in database ${name} set search_path = ${path}`);

      const control = await openSession(collector.url);
      onTestFinished(() => control.end());
      await expect(control.query(`select pg_column_size('{}'::jsonb)`)).rejects.toThrow('trap');
      await expect(control.query(`select '{}'::jsonb ->> '1'`)).rejects.toThrow('trap');
      const before = await countCalls();
      expect(before).toBe(2);

      const asOwner = openDatabase(owner.url, 2);
      onTestFinished(() => asOwner.end());
      const own = await readMigrations();
      await migrate(asOwner, own);
      for (const grant of ['grant_writer', 'grant_collector']) {
        const session = await openSession(owner.url);
        await session.query(
          `select audit.${grant}('${grant === 'grant_writer' ? writer.role : collector.role}'::pg_catalog.name)`,
        );
        await session.end();
      }

      const product = await openSession(writer.url);
      onTestFinished(() => product.end());
      const insert = async (eventType: string, metadata: string) => {
        await product.query(
          `insert into audit.entries (organization, event_type, actor_id, actor_name, project, metadata) values ('acme', $1, 'u-1', 'Ada', 'web', $2)`,
          [eventType, metadata],
        );
      };
      for (const { metadata = '{}' } of numbered(20)) await insert('flow.created', metadata);
      await insert('poison', `{"text": "${'long '.repeat(1_000)}"}`);
      await insert('large', JSON.stringify(Array.from({ length: 5_000 }, (_, i) => i)));

      const db = openDatabase(collector.url);
      onTestFinished(() => db.end());
      expect(await checkServer(db)).toMatchObject({ kind: 'ok' });
      expect(await checkTables(db, own)).toMatchObject({ kind: 'ok' });
      const receiver = await startReceiver();
      onTestFinished(() => receiver.stop());
      receiver.answerWith(({ records }) =>
        records.some((record) => record.eventName === 'poison') ? { status: 400, body: 'no' } : ok,
      );
      const engine = await startEngine(db);
      const filter = { eventTypes: ['*'], excludeEventTypes: ['none.*'], projects: ['web', 'page'] };
      engine.setConfigs(
        makeConfig(receiver.endpoint, { filter, startFrom: { kind: 'time', time: '2020-01-01T00:00:00Z' } }),
      );
      await engine.waitForHealth((health) => health.parked === 1 && health.delivered === 21);

      const [stream] = await readStreams(db, 'acme');
      const streamId = stream?.streamId ?? '';
      const tokenOf = async () =>
        (await superuser.query<{ token: string }>('select token::text from audit.streams')).rows[0]?.token ??
        '';
      const [parked] = await listParked(db, 'acme', streamId, 10);
      expect(parked).toMatchObject({ eventType: 'poison' });
      const entryId = parked?.entryId ?? '';
      expect(await countBacklog(db, { id: streamId, token: await tokenOf() })).toMatchObject({ parked: 1 });
      await readDeliveries(db, 'acme', entryId);
      await readEntry(db, 'acme', entryId);
      await readEntries(db, 'acme', [entryId]);
      await readFacet(db, queryOf(), 'actor');
      await listOrganizations(db, 10);
      await registerClusters(db, ['acme']);
      await moveCluster(db, { id: streamId, token: '0', organization: 'acme' }, filter);
      await findLastChange(db, 'acme', 'acme');
      receiver.answerWith(ok);
      expect(await requestReplay(db, 'acme', streamId, entryId)).toBe(1);
      await writeEntry(db, {
        ...{
          organization: 'acme',
          eventType: 'page.opened',
          actorId: 'u-1',
          actorName: null,
          sessionType: 'user',
        },
        ...{ project: 'page', metadata: { a: 1 } },
      });
      await engine.waitForHealth((health) => health.parked === 0 && health.delivered === 23);
      expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(superuser));
      await engine.stop();

      for (const { metadata = '{}' } of numbered(600)) await insert('flow.created', metadata);
      await indexAll(db, { share: 1 });
      const query = queryOf({
        text: 'long',
        actors: ['Ada'],
        notProjects: [null],
        projects: ['web'],
        has: ['{}'],
        sessionTypes: ['user'],
      });
      const found = await findEntries(db, query, null, { limit: 5 });
      expect(found.entries.map((entry) => entry.eventType)).toEqual(['poison']);
      // On a busy machine its time may be over before it has counted all.
      const count = (of: typeof query) =>
        waitFor(async () => {
          const counted = await readHistogram(db, of, { now: new Date() });
          return counted.isComplete && counted;
        });
      expect((await count(query)).total).toBe(1);
      await count(queryOf());
      await findEntries(db, queryOf({ eventTypes: ['large', 'poison'] }), null, { limit: 5 });
      const newest = await findEntries(db, queryOf({}), null, { limit: 5 });
      expect(newest.entries).toHaveLength(5);
      const { rows } = await superuser.query<{ cluster: string }>('select cluster::text from audit.streams');
      const since = { cluster: rows[0]?.cluster ?? '', snapshot: '3:3:' };
      expect(await countCommittedSince(db, queryOf({}), since, 10)).toBe(10);

      const Store = session(expressSession);
      const store = new Store({
        pool: db,
        schemaName: 'audit',
        tableName: 'page_sessions',
        pruneSessionInterval: false,
      });
      await new Promise<void>((resolve, reject) => {
        store.set('s', { cookie: { originalMaxAge: 1_000 } } as never, (error?: unknown) =>
          error ? reject(error) : resolve(),
        );
      });
      await new Promise<void>((resolve, reject) => {
        store.get('s', (error: unknown) => (error ? reject(error) : resolve()));
      });
      const asAdministrator = await openSession(collector.url);
      await asAdministrator.query(`select audit.replay_parked('acme'::pg_catalog.text)`);

      const ownerSession = await openSession(owner.url);
      for (const call of [
        `set_retention('acme'::pg_catalog.text, '30 days'::pg_catalog.interval)`,
        `set_retention('*'::pg_catalog.text, null)`,
        `unset_retention('*'::pg_catalog.text)`,
        'use_retention_days(30)',
        'use_retention_days(null)',
        `set_retention_floor('1 day'::pg_catalog.interval)`,
        `hold('acme'::pg_catalog.text, 'Case 7'::pg_catalog.text, actor => 'u-1'::pg_catalog.text)`,
        'release(1)',
      ])
        await ownerSession.query(`select audit.${call}`);
      await ownerSession.end();
      await superuser.query(`update audit.entries set occurred_at = now() - interval '60 days'`);
      await findOrganizations(db);
      expect(await deleteExpired(db, 'acme', 10)).toEqual({ busy: false, deleted: 10, isWhole: false });
      await asAdministrator.query(`select audit.delete_expired('acme'::pg_catalog.text, 10)`);
      await readRetention(db, 'acme');
      await readRetentionState(db);
      await findDue(db);
      await isAnyRetained(db);
      await useRetentionDays(db, 30);
      await asAdministrator.end();
      expect(await countCalls()).toBe(before);
    },
    120_000,
  );
});

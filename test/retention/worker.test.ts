/** Collectors that let go of what is due, and what the setting RETENTION_DAYS does. */
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { makeRole } from '../tools/roles.ts';
import { runCommand } from '../tools/runCommand.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const old = '2020-01-02T03:04:05Z';
/** A worker looks every five seconds, and a busy machine is slow. */
const patient = { timeout: 90_000 };
const timeoutMs = 30_000;

test('deletes what the destination has, and counts it', patient, async () => {
  const { url, db, receiver } = await setUp(postgres);
  await insertEntries(db, [
    ...Array.from({ length: 1_200 }, () => ({ eventType: 'old', occurredAt: old })),
    { eventType: 'young' },
    // Nobody sends those of this one anywhere.
    { organization: 'other', eventType: 'old', occurredAt: old },
  ]);
  const collector = await makeCollectorProcess(url, { RETENTION_DAYS: '365' });
  receiver.answerWith(() => ({ status: 503 }));
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  const left = async (organization: string) =>
    Number(
      (
        await db.query(
          `select count(*) from audit.entries where organization = $1 and event_type not like 'audit_log.%'`,
          [organization],
        )
      ).rows[0]?.count,
    );
  await waitFor(async () => (await left('other')) === 0, { timeoutMs, describe: collector.output });
  const metrics = async () => (await fetch(`${collector.operations}/metrics`)).text();
  await waitFor(
    async () => (await metrics()).includes('audit_export_retention_kept_entries{reason="undelivered"} 1200'),
    { timeoutMs },
  );
  expect(await left('acme')).toBe(1_201);
  receiver.answerWith(() => ({ status: 200 }));
  // It is looked at again once the hour is over, or a period is set.
  await receiver.waitFor(({ ledger }) => ledger.storedCount >= 1_201);
  await db.query(`select audit.set_retention('acme', '2 years')`);
  await waitFor(async () => (await left('acme')) === 1, { timeoutMs, describe: collector.output });
  expect(await metrics()).toContain('audit_export_retention_deleted_entries_total 1201');
  await receiver.waitFor(({ ledger }) => ledger.storedCount > 1_202);
});

test('what is wrong with one organization stops no other', patient, async () => {
  const { url, db } = await setUp(postgres);
  for (const organization of ['ada', 'bob', 'cy'])
    await insertEntries(db, [{ organization, eventType: 'old', occurredAt: old }]);
  await db.query(`select audit.set_retention('*', '1 year')`);
  // Nothing that the collector writes, but a row that cannot be judged.
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled, other_clusters)
     values ('k', 'ada', 1, '3:3:', jsonb_build_object(audit.cluster_id()::text, 'nonsense'))`,
  );
  const locked = await openSession(url);
  onTestFinished(() => locked.end());
  await locked.query(`begin; select audit.hold('bob', 'Case 7')`);
  const collector = await makeCollectorProcess(url);
  collector.start();
  const left = async () =>
    (
      await db.query(`select organization from audit.entries where event_type = 'old' order by organization`)
    ).rows.map(({ organization }) => organization);
  await waitFor(async () => (await left()).join() === 'ada,bob', { timeoutMs, describe: collector.output });
  const metrics = async () => (await fetch(`${collector.operations}/metrics`)).text();
  await waitFor(async () => (await metrics()).includes('audit_export_retention_failing 1'), { timeoutMs });
  await locked.query('rollback');
  await waitFor(async () => (await left()).join() === 'ada', { timeoutMs, describe: collector.output });
  const said = () => collector.output().split('of an organization cannot be deleted').length - 1;
  await waitFor(() => said() > 0, { timeoutMs, describe: collector.output });
  expect(said()).toBe(1);
});

test('a role that may not decide says so, and the migration decides for it', patient, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 2);
  onTestFinished(() => db.end());
  const { role, url: roleUrl } = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [role]);
  const collector = await makeCollectorProcess(roleUrl, { RETENTION_DAYS: '30', LOG_LEVEL: 'info' });
  collector.start();
  await waitFor(() => collector.output().includes('this role may not change it'), {
    timeoutMs,
    describe: collector.output,
  });
  expect(await collector.kill('SIGTERM')).toBe(0);

  const migrate = (days: string) =>
    runCommand(['cmd/migrate.ts'], { DATABASE_URL: url, ...(days && { RETENTION_DAYS: days }) });
  expect(await migrate('30')).toMatchObject({ code: 0 });
  const kept = async () => (await db.query('select keep::text, set_by from audit.retention')).rows;
  expect(await kept()).toEqual([{ keep: '30 days', set_by: 'RETENTION_DAYS' }]);
  collector.start();
  await waitFor(() => collector.output().split('collector started').length === 3, { timeoutMs });
  expect(collector.output().split('may not change it').length).toBe(2);

  expect(await migrate('')).toMatchObject({ code: 0 });
  expect(await kept()).toEqual([]);
  await db.query(`select audit.set_retention('*', '10 days')`);
  const { stderr } = await migrate('30');
  expect(stderr).toContain("audit.set_retention('*', …) counts: entries are kept 10 days.");
  expect((await migrate('zero')).stderr).toContain('RETENTION_DAYS');
});

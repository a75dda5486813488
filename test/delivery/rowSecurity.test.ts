/** Row level security on the table of entries, which linters ask for: it hides rows from the collector, and so it is said. */
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

test('row level security that comes later: readiness and status say so, and nothing is lost', {
  timeout: 90_000,
}, async () => {
  const url = await postgres.createDatabase();
  const db = openDatabase(url, 3);
  onTestFinished(() => db.end());
  const { role, url: ownUrl } = await makeRole(db, url);
  await db.query('select audit.grant_collector($1)', [role]);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  // A window is under delivery when the rows of it are hidden.
  receiver.answerWith(({ records }) => ({ status: (records[0]?.sequence ?? 0) > 20 ? 503 : 200 }));
  const collector = await makeCollectorProcess(ownUrl, { LOG_LEVEL: 'warn' });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
    maxBatchSize: 10,
  });
  await insertEntries(db, numbered(50));
  collector.start();
  await receiver.waitFor((r) => r.ledger.storedCount === 20);

  await db.query(`alter table audit.entries enable row level security`);
  await db.query(`create policy half on audit.entries for select using (id % 2 = 0)`);
  receiver.answerWith({ status: 200 });
  await insertEntries(db, numbered(13));
  const status = await collector.waitForStatus(
    'acme',
    ({ conditions }) =>
      conditions[0]?.status !== 'True' && /row.level security/i.test(conditions[0]?.message ?? ''),
  );
  expect(status.conditions[0]?.message).not.toContain('Every entry is delivered');
  const readiness = async (): Promise<string> => {
    const response = await fetch(`${collector.operations}/readyz`);
    return `${response.status} ${await response.text()}`;
  };
  expect(await readiness()).toMatch(/^503 (.|\n)*row.level security/i);

  await db.query('alter table audit.entries disable row level security');
  await receiver.waitFor((r) => r.ledger.storedCount === 63, 30_000);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(receiver.ledger.missingSequences()).toEqual([]);
  expect(receiver.ledger.differences).toEqual([]);
  await waitFor(async () => (await readiness()).startsWith('200'));
  await collector.waitForStatus(
    'acme',
    ({ conditions, pendingEntries }) => conditions[0]?.status === 'True' && pendingEntries === 0,
  );
});

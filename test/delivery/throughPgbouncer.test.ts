/** The whole product with nothing but pgbouncer in transaction mode between it and Postgres: no session of its own anywhere. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, numbered, openDatabase, openSession, uidsOf } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { startPgbouncer } from '../tools/poolers.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { runCommand } from '../tools/runCommand.ts';

const postgres = usePostgres();

describe.skipIf(arePackagesMissing('the product through pgbouncer', { pgbouncer: 'pgbouncer' }))(
  'with pgbouncer',
  () => {
    test('migrations, delivery, page, search index and downloads work through it', {
      timeout: 120_000,
    }, async () => {
      const url = await postgres.createDatabase();
      const db = openDatabase(url, 3);
      onTestFinished(() => db.end());
      const { role, url: ownUrl } = await makeRole(db, url);
      const pgbouncer = await startPgbouncer({
        password: new URL(url).password,
        serverPort: postgres.server.port,
        users: { [role]: new URL(ownUrl).password },
      });
      onTestFinished(() => pgbouncer.stop());
      const through = (direct: string): string => {
        const result = new URL(direct);
        result.port = String(pgbouncer.port);
        return result.href;
      };

      const migrated = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: through(url) });
      expect(migrated).toMatchObject({ code: 0, stderr: '' });
      await db.query('select audit.grant_collector($1)', [role]);

      const receiver = await startReceiver();
      onTestFinished(() => receiver.stop());
      const pagePort = await findFreePort();
      const page = `http://127.0.0.1:${pagePort}/organizations/acme/audit-logs`;
      const collector = await makeCollectorProcess(through(ownUrl), {
        PAGE_ADDRESS: `127.0.0.1:${pagePort}`,
        AUTH_MODE: 'local',
      });
      await collector.writeConfig('acme', {
        organization: 'acme',
        endpoint: receiver.endpoint,
        startFrom: 'Beginning',
        maxBatchSize: 100,
      });
      await insertEntries(db, numbered(2_500));
      // Open while the others are read, so that windows are exact through the pooler too.
      const late = await openSession(url);
      await late.query('begin');
      await insertEntries(late, numbered(5, { eventType: 'late.one' }));
      collector.start();
      await receiver.waitFor((r) => r.ledger.storedCount === 2_500, 60_000);
      await late.query('commit');
      await late.end();
      await receiver.waitFor((r) => r.ledger.storedCount === 2_505, 30_000);
      await collector.waitForStatus(
        'acme',
        ({ conditions, pendingEntries }) => conditions[0]?.status === 'True' && pendingEntries === 0,
      );
      expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
      expect(receiver.ledger.missingSequences()).toEqual([]);
      expect(receiver.ledger.differences).toEqual([]);

      await waitFor(async () => ((await db.query('select from audit.search_blocks')).rowCount ?? 0) > 0, {
        timeoutMs: 60_000,
        describe: () => collector.output(),
      });
      const ready = await fetch(`${collector.operations}/readyz`);
      expect({ status: ready.status, text: await ready.text() }).toMatchObject({ status: 200 });
      const list = await (await fetch(page)).text();
      expect(list).toContain('late.one');
      const found = await (await fetch(`${page}?q=%22n%22%3A+2499`)).text();
      expect(found.match(/data-row/g)).toHaveLength(1);
      const download = await (await fetch(`${page}/entries.ndjson?type=flow.created`)).text();
      expect(download.trimEnd().split('\n')).toHaveLength(2_500);
      await collector.kill('SIGTERM');
      const wrong = collector
        .output()
        .split('\n')
        .filter((line) => /"level":"?(error|warn|50|40)/.test(line));
      expect(wrong).toEqual([]);
    });
  },
);

/** docs/retention.md's archive: a Collector that writes files, and deletion that waits for it. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { isListening, startService } from '../../tools/service.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const recipe = join(import.meta.dirname, '../../docs/recipes/archive.yaml');

test('docs/retention.md shows the recipe as it is', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/retention.md'), 'utf8');
  expect(page).toContain(`\`\`\`yaml\n${await readFile(recipe, 'utf8')}\`\`\``);
});

describe.skipIf(isToolMissing('otelcol'))('an archive', () => {
  beforeAll(() => provideTool('otelcol').then(() => {}), toolTimeoutMs);

  test('has every entry before it goes, and none goes before', { timeout: 120_000 }, async () => {
    const url = await postgres.createDatabase();
    const db = openDatabase(url, 2);
    onTestFinished(() => db.end());
    const folder = await mkdtemp(join(tmpdir(), 'audit-export-archive-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const port = await findFreePort();
    const audit = await makeCollectorProcess(url);
    await audit.writeConfig('archive', {
      organization: 'acme',
      endpoint: `http://127.0.0.1:${port}`,
      startFrom: 'Beginning',
    });
    await insertEntries(db, numbered(600));
    const uids = await uidsOf(db);
    await db.query(`select audit.set_retention('acme', '1 second')`);
    audit.start();
    await waitFor(
      async () => {
        const { rows } = await db.query(
          'select waits_for from audit.retention_progress where undelivered >= 600',
        );
        return rows[0]?.['waits_for']?.[0] === 'default.archive';
      },
      { timeoutMs: 30_000, describe: audit.output },
    );
    expect(await uidsOf(db)).toEqual(expect.arrayContaining(uids));

    const archive = await startService({
      name: 'The archive',
      command: await provideTool('otelcol'),
      args: [`--config=file:${recipe}`, '--set=service.telemetry.metrics.level=none'],
      env: { LISTEN_ADDRESS: `127.0.0.1:${port}`, ARCHIVE_FILE: join(folder, 'audit.jsonl') },
      isReady: () => isListening(port),
    });
    onTestFinished(archive.stop);
    const left = async () => {
      const there = new Set(await uidsOf(db));
      return uids.filter((uid) => there.has(uid)).length;
    };
    await waitFor(async () => (await left()) === 0, { timeoutMs: 30_000, describe: audit.output });
    const archived = async () => {
      const files = await Promise.all(
        (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
      );
      return [...files.join('').matchAll(/"log\.record\.uid","value":\{"stringValue":"([^"]+)"/g)].map(
        ([, uid]) => uid,
      );
    };
    await waitFor(async () => new Set(await archived()).size >= 600, { timeoutMs: 30_000 });
    expect(await archived()).toEqual(expect.arrayContaining(uids));
  });
});

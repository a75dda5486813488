/** docs/integrity.md's CronJob: a receiver's copy held against the ledger, with the database to tell what the receiver need not have. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { checkpointLedgers } from '../../src/ledger/checkpointLedgers.ts';
import { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { readLedger, sealNow } from '../ledger/ledgers.ts';
import { isToolMissing, provideTool, toolTimeoutMs } from '../tools/build.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { runCommand } from '../tools/runCommand.ts';
import { startVictoriaLogs } from '../tools/victoriaLogs.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const recipe = join(import.meta.dirname, '../../docs/recipes/reconcile.yaml');

test('docs/integrity.md shows the recipe as it is', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/integrity.md'), 'utf8');
  expect(page).toContain(`\`\`\`yaml\n${await readFile(recipe, 'utf8')}\`\`\``);
});

/** The command of the CronJob, against another VictoriaLogs, with another key and another query. */
async function readArgs(base: string, publicKey: string, more = ''): Promise<string[]> {
  const job = parse(await readFile(recipe, 'utf8'));
  const args: string[] = job.spec.jobTemplate.spec.template.spec.containers[0].args;
  return args
    .filter((arg) => arg !== '--disable-sigusr1')
    .map((arg) => arg.replace(/^--public-key=.*/, `--public-key=${publicKey}`))
    .map((arg) => arg.replace(/^http:\/\/victorialogs:9428(.*)$/, `${base}$1${encodeURIComponent(more)}`));
}

describe.skipIf(isToolMissing('victoria-logs'))('a copy in VictoriaLogs', () => {
  beforeAll(() => provideTool('victoria-logs').then(() => {}), toolTimeoutMs);

  test('may lack what a filter left out and what is newer, and nothing else', {
    timeout: 90_000,
  }, async () => {
    const url = await postgres.createDatabase();
    const db = openDatabase(url, 4);
    onTestFinished(() => db.end());
    const folder = await mkdtemp(join(tmpdir(), 'audit-export-reconcile-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const pem = join(folder, 'public.pem');
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    await writeFile(pem, publicKey.export({ format: 'pem', type: 'spki' }));
    const victoriaLogs = await startVictoriaLogs();
    onTestFinished(() => victoriaLogs.stop());
    const before = await insertEntries(db, numbered(7));
    await db.query(
      `update audit.entries set occurred_at = now() - interval '2 days' where id = any ($1::bigint[])`,
      [before],
    );
    const ids = await insertEntries(db, numbered(40));
    await insertEntries(db, numbered(15, { eventType: 'secret.viewed' }));
    const engine = await startEngine(db);
    const since = new Date(Date.now() - 86_400_000).toISOString();
    engine.setConfigs(
      makeConfig(victoriaLogs.endpoint, {
        key: 'test/acme',
        organization: 'acme',
        startFrom: { kind: 'time', time: since },
        filter: { eventTypes: [], excludeEventTypes: ['secret.*'], projects: [] },
      }),
    );
    expect((await engine.waitForIdle('test/acme')).delivered).toBe(40);
    await sealNow(db);
    const signing = { name: 'audit.example.com', keys: [new LedgerKey(privateKey)] };
    await checkpointLedgers(db, [(await readLedger(db)).id], new Map(), signing);
    // Behind the checkpoint, and sent.
    await insertEntries(db, numbered(4));
    await sealNow(db);
    await insertEntries(db, numbered(2));
    await waitFor(async () => (await engine.waitForIdle('test/acme')).delivered === 46, {
      timeoutMs: 15_000,
    });
    // What was sent within the last minute need not be there yet.
    await db.query(`update audit.stream_history set at = at - interval '1 hour'`);
    await db.query(`update audit.streams set moved_at = moved_at - interval '1 hour'`);

    const base = new URL(victoriaLogs.endpoint).origin;
    await victoriaLogs.query('*');
    const run = async (more?: string) => runCommand(await readArgs(base, pem, more), { DATABASE_URL: url });
    const whole = await run();
    expect(whole.stderr).toBe('');
    expect(whole.stdout.trim().split('\n').slice(1)).toEqual([
      `${base}/select/logsql/query: NDJSON of VictoriaLogs.`,
      '46 records were read.',
      expect.stringMatching(/^Stream \S+: the sequence 1…46 has no gap\.$/),
      '7 of 62 sealed entries are not here: the export began after them, as the database says.',
      '15 of 62 sealed entries are not here: the filter of the export left them out, as the database says.',
      '6 records are of entries newer than the checkpoint, and not judged.',
      'Proven in part. The contents of 46 records cannot be checked: this format does not keep them as they were. Each of the 40 sealed entries that was to be here is here.',
    ]);
    expect(whole.code).toBe(0);

    const { rows } = await db.query('select uid from audit.entries where id = $1', [ids[8]]);
    const lost = await run(` NOT "log.record.uid":="${rows[0].uid}"`);
    expect(lost.stdout).toContain(`(id ${ids[8]}, uid ${rows[0].uid}) is missing.`);
    expect(lost.stdout).toMatch(/Stream \S+ has no record 9\.\n/);
    expect(lost.code).toBe(1);

    const away = await runCommand(
      ['cmd/verify.ts', `${base}/nothing?token=s3cret`, '--organization=acme', `--public-key=${pem}`],
      { DATABASE_URL: url },
    );
    expect(away.problems).toEqual([
      expect.stringMatching(/^http:\S+\/nothing cannot be read: the server answered 400: /),
    ]);
    expect(away.stderr).not.toContain('s3cret');
    expect(away.code).toBe(2);
  });
});

/** The newcomer's path, as the README says it: clone, `npm start`, an entry at the receiver and on the page. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { readCodeBlocks } from '../docs/codeBlocks.ts';
import { useBrowser } from '../tools/browser.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');
const browser = useBrowser();

/** The only thing a newcomer types; what stands behind the # is for people. */
async function readFirstCommand(): Promise<string[]> {
  const [first] = (await readCodeBlocks('README.md')).filter(({ language }) => language === 'sh');
  return (first?.text.split('\n')[0]?.split('#')[0]?.trim() ?? '').split(' ');
}

async function readFirstSql(): Promise<string> {
  const [first] = (await readCodeBlocks('README.md')).filter(({ language }) => language === 'sql');
  return first?.text ?? '';
}

/** Resolves with the output so far, growing; stopped with the test by its own process. */
function start(folder: string, [command = '', ...args]: readonly string[]): () => string {
  const child: ChildProcess = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  onTestFinished(async () => {
    const ended = once(child, 'close');
    child.kill('SIGINT');
    await ended;
  }, 60_000);
  return () => output;
}

test('leads from a clone to an entry at the receiver and on the page', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-newcomer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await run('git', ['clone', '--quiet', '--depth', '1', `file://${repository}`, folder]);

  const command = await readFirstCommand();
  expect(command).toEqual(['npm', 'start']);
  const output = start(folder, command);
  const find = (pattern: RegExp, timeoutMs: number) =>
    waitFor(() => pattern.exec(output())?.[1], { timeoutMs, describe: () => output().slice(-4_000) });
  const page = await find(/Open the page\n {2}(http:\S+)\n/, 180_000);
  const databaseUrl = await find(/psql '(postgres:\S+)'\n/, 1_000);

  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  // The receiver prints no more than some lines a second: one of several is seen.
  const writing = setInterval(async () => client.query(await readFirstSql()).catch(() => {}), 500);
  onTestFinished(async () => {
    clearInterval(writing);
    await client.end();
  });
  await find(/^\d\d:\S+ (acme) +#\d+ +flow\.created +Ada +api_key +web +\{"flowId":42/m, 30_000);

  const tab = await browser.newPage();
  await tab.goto(`${page}?actor=u-17`);
  await tab.getByRole('row').filter({ hasText: 'flow.created' }).first().getByRole('link').first().click();
  await tab.getByRole('dialog').getByText('"flowId"').waitFor();
  await tab.getByRole('dialog').getByText('Delivered').first().waitFor();

  const proof = await find(/\n {2}(DATABASE_URL=.* npm run verify .*)\n/, 1_000);
  const verify = () => run('sh', ['-c', proof], { cwd: folder }).catch((error: { stdout: string }) => error);
  // The first checkpoint is made once entries are sealed.
  await waitFor(async () => (await verify()).stdout.includes('\nProven: each of the '), {
    timeoutMs: 90_000,
    pollMs: 2_000,
    describe: output,
  });
  const superuser = new pg.Client({ connectionString: /DATABASE_URL='([^']*)'/.exec(proof)?.[1] });
  await superuser.connect();
  const { rows } = await superuser.query(
    `update audit.entries set actor_name = 'Eve' where id = (select min(id) from audit.entries where organization = 'acme') returning id`,
  );
  await superuser.end();
  expect((await verify()).stdout).toMatch(
    new RegExp(`Entry number [\\d,]+ \\(id ${rows[0].id}, uid \\S+\\) is not as it was sealed: the table\\.`),
  );
});

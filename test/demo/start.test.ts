/** `npm start` as its user sees it: a process of its own, its output, its folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { organizations } from '../../cmd/demo/product/cast.ts';
import { waitFor } from '../../tools/waitFor.ts';

const timeout = 90_000;
const run = promisify(execFile);

/** One folder for all tests: each finds what the one before has left. */
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'audit-export-demo-'));
});
afterAll(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));

interface Demo {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves with the first match. */
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
  /** A line that the receiver printed. */
  waitForEntry(organization: string, eventType?: string): Promise<unknown>;
  readonly exitCode: Promise<number | null>;
}

function start(...args: string[]): Demo {
  const child = spawn('node', ['cmd/demo.ts', '--directory', directory, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      output += chunk;
    });
  }
  const exitCode = once(child, 'close').then(() => child.exitCode);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exitCode;
  });
  const waitForOutput = (pattern: RegExp) =>
    waitFor(() => pattern.exec(output) ?? undefined, {
      timeoutMs: 30_000,
      describe: () => output.slice(-4_000),
    });
  return {
    child,
    output: () => output,
    waitForOutput,
    waitForEntry: (organization, eventType = '') =>
      waitForOutput(new RegExp(`^\\d\\d:\\S+ ${organization} +#\\d+ +${eventType}`, 'm')),
    exitCode,
  };
}

/** Of what the demo has started; `command` narrows it down. */
async function childrenOf(demo: Demo, command = ''): Promise<number[]> {
  const { stdout } = await run('pgrep', ['-P', String(demo.child.pid), '-f', command]);
  return stdout.trim().split('\n').map(Number);
}

/** Not gone, and not merely waiting for its exit code to be asked for. */
async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout !== '' && !stdout.startsWith('Z');
}

async function waitForEnd(pids: readonly number[]): Promise<void> {
  await waitFor(async () => (await Promise.all(pids.map(isRunning))).every((running) => !running));
}

async function readReceiverPort(): Promise<number> {
  return JSON.parse(await readFile(join(directory, 'demo.json'), 'utf8')).receiverPort;
}

async function readStatusFile(name: string): Promise<string> {
  return await readFile(join(directory, 'configs', `${name}.status.yaml`), 'utf8');
}

test('opens a page, exports for every organization, takes an entry written by hand, and stops without a trace', {
  timeout,
}, async () => {
  const demo = start('--rate', '8');
  for (const { name } of organizations) await demo.waitForEntry(name);

  const [, url] = await demo.waitForOutput(/psql '(postgres:\S+)'\n/);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // The receiver prints no more than some lines a second: one of several is seen.
  const written = setInterval(() => {
    client
      .query(
        `insert into audit.entries (organization, event_type, metadata) values ('acme', 'test.by_hand', '{}')`,
      )
      .catch(() => {});
  }, 500);
  onTestFinished(() => clearInterval(written));
  await demo.waitForEntry('acme', 'test\\.by_hand');
  clearInterval(written);
  await expect(client.query('select from audit.entries')).rejects.toThrow('permission denied');
  await client.end();

  const [, operations] = await demo.waitForOutput(/(http:\S+)\/metrics/);
  expect((await fetch(`${operations}/readyz`)).status).toBe(200);

  const [, page] = await demo.waitForOutput(/Open the page\n {2}(http:\S+)\n/);
  const html = await (await fetch(String(page))).text();
  expect(html).toContain('<title>Audit logs · acme</title>');
  await waitFor(async () => (await readStatusFile('acme-archive')).includes('reason: NotFound'));

  const children = await childrenOf(demo);
  expect(children.length).toBeGreaterThanOrEqual(2);
  demo.child.kill('SIGINT');
  expect(await demo.exitCode).toBe(0);
  expect(demo.output()).toMatch(
    /\nStopping the product, then the collector, then the receiver, then Postgres …\n[\s\S]*Stopped\.\n$/,
  );
  await waitForEnd(children);
});

test('goes on where it was, with the manifests as they were left, and says which port is another', {
  timeout,
}, async () => {
  const occupied = await readReceiverPort();
  const other = createServer();
  await once(other.listen(occupied, '127.0.0.1'), 'listening');
  onTestFinished(() => void other.close());
  const manifest = join(directory, 'configs', 'hooli.yaml');
  await writeFile(manifest, `${await readFile(manifest, 'utf8')}  maxBatchSize: 7\n`);

  const demo = start('--rate', '8');
  await demo.waitForOutput(new RegExp(`receiver on port \\d+ \\(${occupied} is busy\\)`));
  for (const { name } of organizations) await demo.waitForEntry(name);
  expect(demo.output()).not.toContain('history');
  expect(demo.output()).not.toMatch(/#1 /);
  expect(await readFile(manifest, 'utf8')).toContain('maxBatchSize: 7');
  expect(await readReceiverPort()).not.toBe(occupied);

  const second = start();
  expect(await second.exitCode).toBe(1);
  expect(second.output()).toBe(
    `The demo is already running in ${directory} (process ${demo.child.pid}): stop it first, or use another folder: npm start -- --directory FOLDER.\n`,
  );
  demo.child.kill('SIGTERM');
  expect(await demo.exitCode).toBe(0);
});

test('ends with a sentence and exit code 1 when the collector dies, and when Postgres dies', {
  timeout,
}, async () => {
  for (const [program, sentence] of [
    ['collector\\.ts', /\nThe collector ended unexpectedly \(SIGKILL\): .*\n$/],
    ['bin/postgres -D', /\nPostgres ended unexpectedly: .*\n$/],
  ] as const) {
    const demo = start();
    await demo.waitForOutput(/Stop with Ctrl-C/);
    const children = await childrenOf(demo);
    for (const pid of await childrenOf(demo, program)) process.kill(pid, 'SIGKILL');
    expect(await demo.exitCode).toBe(1);
    expect(demo.output()).toMatch(sentence);
    await waitForEnd(children);
  }
});

test('takes two signals at once for one, as npm passes on what the terminal has sent to all', {
  timeout,
}, async () => {
  const demo = start();
  await demo.waitForOutput(/Stop with Ctrl-C/);
  demo.child.kill('SIGINT');
  await demo.waitForOutput(/Stopping/);
  demo.child.kill('SIGINT');
  expect(await demo.exitCode).toBe(0);
  expect(demo.output()).toMatch(/Stopped\.\n$/);
});

test('kills what does not stop when it is told to stop again', { timeout }, async () => {
  const demo = start();
  await demo.waitForOutput(/Stop with Ctrl-C/);
  const children = await childrenOf(demo);
  for (const pid of await childrenOf(demo, 'collector\\.ts')) process.kill(pid, 'SIGSTOP');
  const again = setInterval(() => demo.child.kill('SIGINT'), 300);
  onTestFinished(() => clearInterval(again));
  expect(await demo.exitCode).toBe(1);
  expect(demo.output()).not.toContain('Stopped.');
  await waitForEnd(children);
});

test('leaves nothing running when it is killed', { timeout }, async () => {
  const demo = start();
  await demo.waitForOutput(/Stop with Ctrl-C/);
  const children = await childrenOf(demo);
  demo.child.kill('SIGKILL');
  await demo.exitCode;
  await waitForEnd(children);
});

test.each([
  [['--rate', 'fast'], /^--rate is "fast": it must be a number above 0, up to 1000\.\n$/],
  [['--speed', '2'], /^npm start -- does not know the option "--speed"; see npm start -- --help\.\n$/],
])('refuses %j in one sentence', async (args, sentence) => {
  const demo = start(...args);
  expect(await demo.exitCode).toBeGreaterThan(0);
  expect(demo.output()).toMatch(sentence);
});

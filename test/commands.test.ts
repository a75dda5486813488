/** The commands as people and container runtimes meet them: arguments, settings, exit codes, signals. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { settingsTable } from '../src/settings/table.ts';
import { programVersion } from '../src/settings/version.ts';
import { findFreePort } from '../tools/freePort.ts';
import { waitFor } from '../tools/waitFor.ts';
import { makeCollectorProcess } from './tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, uidsOf } from './tools/database.ts';
import { usePostgres } from './tools/postgres.ts';
import { ok, type ReceiverAnswer } from './tools/receiver.ts';
import { runCommand } from './tools/runCommand.ts';
import { setUp } from './tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const commands = ['cmd/collector.ts', 'cmd/migrate.ts'];

/** Enough to start the collector in an empty directory. */
const runnable = {
  CONFIG_SOURCE: 'directory',
  CONFIG_DIRECTORY: import.meta.dirname,
  OPERATIONS_ADDRESS: '127.0.0.1:0',
  PAGE_ADDRESS: 'off',
};

describe.each(commands)('%s', (command) => {
  test('prints its help and its version without any setting', async () => {
    const help = await runCommand([command, '--help']);
    expect([help.code, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain(`Usage: node ${command} [options]`);
    expect(help.stdout).toContain('DATABASE_URL');
    expect(await runCommand([command, '-h'])).toEqual(help);
    const version = await runCommand([command, '--version']);
    expect([version.code, version.stdout, version.stderr]).toEqual([0, `${programVersion}\n`, '']);
  });

  test.each([
    [['--verbose'], 'does not know the option "--verbose"'],
    [['now'], 'does not take the argument "now"'],
    [['--version=1'], 'takes no value for --version'],
  ])('refuses the arguments %j by one sentence and exit code 2', async (args, sentence) => {
    const { code, stdout, problems } = await runCommand([command, ...args]);
    expect({ code, stdout, count: problems.length }).toEqual({ code: 2, stdout: '', count: 1 });
    expect(problems[0]).toContain(sentence);
    expect(problems[0]).toContain(`see node ${command} --help`);
  });

  test('names every setting that it cannot do without', async () => {
    const { code, problems } = await runCommand([command]);
    expect([code, problems]).toEqual([
      1,
      [
        'DATABASE_URL is not set, and there is no default: set it, or name a file that holds it with DATABASE_URL_FILE.',
        ...(command === 'cmd/collector.ts'
          ? [
              'AUTH_MODE is not set, and there is no default for who may read audit logs: set it to one of oidc, jwt, headers, local, or set PAGE_ADDRESS=off to run without the page.',
            ]
          : []),
      ],
    ]);
  });
});

test.each([
  ['a server that is not there', { port: 'free' }, 'Postgres refuses connections'],
  ['a wrong password', { password: 'wrong-Pa55word' }, 'Postgres refuses the user name or password'],
])('cmd/migrate.ts says of %s what is wrong, without the password', async (_, change, sentence) => {
  const url = Object.assign(new URL(postgres.server.url), change);
  if ('port' in change) url.port = String(await findFreePort());
  const run = await runCommand(['cmd/migrate.ts'], { DATABASE_URL: url.href });
  expect({ code: run.code, stdout: run.stdout, count: run.problems.length }).toEqual({
    code: 1,
    stdout: '',
    count: 1,
  });
  expect(run.problems[0]).toContain('The database cannot be used: ');
  expect(run.problems[0]).toContain(sentence);
  expect(run.stderr).not.toContain(url.password);
});

test('cmd/collector.ts --help names every setting', async () => {
  const { stdout } = await runCommand(['cmd/collector.ts', '--help']);
  for (const { name } of Object.values(settingsTable)) expect(stdout).toContain(name);
});

test('the collector hears signals before it loads what takes time: a container has no other handler', async () => {
  // Names what has been loaded by the time somebody listens to the signal.
  const preload = `import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    process.once('newListener', (name) => console.log(name, ...loaded.map((url) => url.split('/').pop())));`;
  const { code, stdout } = await runCommand(['cmd/collector.ts', '--version'], {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
  });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^SIGTERM collector\.ts earlyStop\.ts\n/);
});

test('the collector reports every wrong setting at once, and no secret one by its value', async () => {
  const { code, stdout, problems } = await runCommand(['cmd/collector.ts'], {
    DATABASE_URL: 'mysql://root:hunter2@db/audit',
    CONFIG_SOURCE: 'directory',
    OPERATIONS_ADDRESS: 'everywhere',
    LOG_LEVEL: 'loud',
    POLL_INTERVAL_MS: '5',
    RETRY_INITIAL_MS: '2000',
    RETRY_MAX_MS: '1000',
    SERVICE_NAME_FILE: '/nowhere/service-name',
  });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  const settings = problems.map((problem) => problem.split(' ')[0]);
  expect(settings.sort()).toEqual([
    'AUTH_MODE',
    'CONFIG_SOURCE',
    'DATABASE_URL',
    'LOG_LEVEL',
    'OPERATIONS_ADDRESS',
    'POLL_INTERVAL_MS',
    'RETRY_INITIAL_MS',
    'SERVICE_NAME_FILE',
  ]);
  expect(problems.join()).not.toContain('hunter2');
});

test('the collector says that its port is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const url = await postgres.createDatabase();
  const env = { ...runnable, OPERATIONS_ADDRESS: `127.0.0.1:${port}` };
  const one = await runCommand(['cmd/collector.ts'], { ...env, DATABASE_URL: url });
  expect([one.code, one.stdout, one.problems.length]).toEqual([1, '', 1]);
  expect(one.problems[0]).toContain(`127.0.0.1:${port}`);
  expect(one.problems[0]).toContain('OPERATIONS_ADDRESS');
});

test('the collector says that its configuration directory is missing', async () => {
  const { code, problems } = await runCommand(['cmd/collector.ts'], {
    ...runnable,
    DATABASE_URL: await postgres.createDatabase(),
    CONFIG_DIRECTORY: '/nowhere/configs',
  });
  expect([code, problems.length]).toEqual([1, 1]);
  expect(problems[0]).toContain('/nowhere/configs');
  expect(problems[0]).toContain('CONFIG_DIRECTORY');
});

describe('a collector with requests in flight', () => {
  /** 30 entries in three batches; the receiver keeps each request until `answer` is called. */
  async function startInFlight(settings: Readonly<Record<string, string>> = {}) {
    const parts = await setUp(postgres);
    const { db, receiver, url } = parts;
    let answer: (answer: ReceiverAnswer) => void = () => {};
    const answered = new Promise<ReceiverAnswer>((resolve) => {
      answer = resolve;
    });
    receiver.answerWith(() => answered);
    await insertEntries(db, numbered(30));
    const collector = await makeCollectorProcess(url, settings);
    await collector.writeConfig('acme', {
      organization: 'acme',
      endpoint: receiver.endpoint,
      startFrom: 'Beginning',
      maxBatchSize: 10,
      timeoutSeconds: 60,
    });
    collector.start();
    await receiver.waitFor((r) => r.requests.length === 3);
    return { ...parts, collector, answer };
  }

  async function leasesOf(db: { query(sql: string): Promise<{ rows: unknown[] }> }) {
    const streams = await db.query('select holder, sequence::int, delivered::int from audit.streams');
    const replicas = await db.query('select id from audit.replicas');
    return { streams: streams.rows, replicas: replicas.rows };
  }

  test('settles what is answered after SIGTERM, gives its leases back and exits with 0', async () => {
    const { db, receiver, collector, answer } = await startInFlight();
    const exited = collector.kill('SIGTERM');
    await waitFor(() => collector.output().includes('"stopping"'), { describe: collector.output });
    answer(ok);
    expect(await exited).toBe(0);
    expect(await leasesOf(db)).toEqual({
      streams: [{ holder: null, sequence: 30, delivered: 30 }],
      replicas: [],
    });
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    expect(receiver.requestCount).toBe(3);
    expect(collector.output()).toContain('"stopped"');
    expect((await collector.readStatus('acme'))?.deliveredEntries).toBe(30);
  });

  test('aborts what is not answered in time, and sends the very same records after its next start', async () => {
    const { db, receiver, collector } = await startInFlight({ SHUTDOWN_GRACE_MS: '200' });
    expect(await collector.kill('SIGTERM')).toBe(0);
    expect(await leasesOf(db)).toEqual({
      streams: [{ holder: null, sequence: 0, delivered: 0 }],
      replicas: [],
    });
    receiver.answerWith(ok);
    collector.start();
    await receiver.waitFor((r) => r.ledger.storedCount === 30);
    expect(await collector.kill('SIGINT')).toBe(0);
    expect(receiver.ledger.differences).toEqual([]);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(await leasesOf(db)).toEqual({
      streams: [{ holder: null, sequence: 30, delivered: 30 }],
      replicas: [],
    });
  });

  test('exits with 1 at once at a second SIGTERM, and loses nothing by it', async () => {
    const { db, receiver, collector } = await startInFlight();
    const exited = collector.kill('SIGTERM');
    await waitFor(() => collector.output().includes('"stopping"'), { describe: collector.output });
    const secondAt = performance.now();
    process.kill(collector.pid, 'SIGTERM');
    expect(await exited).toBe(1);
    expect(performance.now() - secondAt).toBeLessThan(10_000);
    receiver.answerWith(ok);
    collector.start();
    await receiver.waitFor((r) => r.ledger.storedCount === 30);
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    expect(receiver.ledger.differences).toEqual([]);
    expect(await collector.kill('SIGTERM')).toBe(0);
  });
});

test('nothing secret is in any output, whatever a receiver sends back', async () => {
  const { url, db, receiver } = await setUp(postgres);
  const secrets = ['Bearer tok-5Ecr3t-Alpha', 'k3y-5Ecr3t-Beta'];
  const statuses = [401, 400, 503, 301, 200];
  // It echoes what it got: header values in the body, in headers, in a page.
  receiver.answerWith(({ headers, number }) => {
    const echo = JSON.stringify({ authorization: headers.authorization, key: headers['x-api-key'] });
    const status = statuses[number % statuses.length] ?? 401;
    return {
      status,
      body: `you sent ${echo}`,
      headers: {
        'content-type': status === 200 ? 'text/html' : 'text/plain',
        location: `/login?key=${headers['x-api-key']}`,
      },
      stored: false,
    };
  });
  await insertEntries(db, numbered(5));
  const collector = await makeCollectorProcess(url, { LOG_LEVEL: 'trace' });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: `${receiver.endpoint}?token=${secrets[1]}`,
    startFrom: 'Beginning',
    headers: [
      { name: 'Authorization', value: secrets[0] },
      { name: 'X-Api-Key', value: secrets[1] },
    ],
  });
  // A second one that is wrong, next to its secret.
  await collector.writeConfig('wrong', {
    organization: 'acme',
    endpoint: 'nowhere',
    headers: [{ name: 'Authorization', value: secrets[0], vlaue: secrets[1] }],
  });
  collector.start();
  await collector.waitForStatus('wrong', (status) => status.conditions.length > 0);
  const messages = new Set<string>();
  await waitFor(
    async () => {
      const status = await collector.readStatus('acme');
      if (status?.lastError) messages.add(status.lastError.message);
      return messages.size >= 4;
    },
    { describe: () => [...messages].join('\n') },
  );
  const metrics = await (await fetch(`${collector.operations}/metrics`)).text();
  const ready = await (await fetch(`${collector.operations}/readyz?verbose`)).text();
  // The database goes away under it, so that its errors are printed too.
  await db.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await writeFile(join(collector.directory, 'torn.yaml'), `spec: {headers: [{value: "${secrets[0]}"`);
  await waitFor(() => collector.output().includes('torn'), { describe: collector.output });
  expect(await collector.kill('SIGTERM')).toBe(0);

  const files = (await readdir(collector.directory)).filter((name) => name.endsWith('.status.yaml'));
  expect(files.length).toBeGreaterThanOrEqual(2);
  const statusTexts = await Promise.all(
    files.map((name) => readFile(join(collector.directory, name), 'utf8')),
  );
  const lastErrors = await db.query('select last_error::text from audit.streams');
  const printed = [
    collector.output(),
    metrics,
    ready,
    ...statusTexts,
    ...messages,
    JSON.stringify(lastErrors.rows),
  ].join('\n');
  expect(printed).toContain('[secret]');
  const password = new URL(url).password;
  expect(password.length).toBeGreaterThan(10);
  for (const secret of [
    password,
    ...secrets,
    'tok-5Ecr3t-Alpha',
    Buffer.from(secrets[0] ?? '').toString('base64'),
  ])
    expect(printed).not.toContain(secret);
});

describe('cmd/receiver.ts', () => {
  test('prints its help', async () => {
    const { code, stdout } = await runCommand(['cmd/receiver.ts', '--help']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('Usage: npm run receiver -- [options]')]);
  });

  test.each(['70000', '1.5', 'http'])('refuses the port %s by one sentence', async (port) => {
    const { code, stdout, problems } = await runCommand(['cmd/receiver.ts', '--port', port]);
    expect([code, stdout, problems]).toEqual([
      1,
      '',
      [`--port is "${port}": it must be a whole number from 0 (any free port) to 65535.`],
    ]);
  });

  test('says that its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, problems } = await runCommand(['cmd/receiver.ts', '--port', String(port)]);
    expect([code, problems]).toEqual([
      1,
      [`Port ${port} is taken: stop what listens there, or choose another port with --port.`],
    ]);
  });
});

/** The launcher of `npm start` and of every other test: against the real programs. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findEmbeddedBinaries, type PostgresServer, startPostgres } from '../../tools/postgres/postgres.ts';
import { isListening } from '../../tools/service.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { findOnPath } from '../tools/findOnPath.ts';

const settings = { fsync: 'off' };
const binaries = await findEmbeddedBinaries();
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-export-launcher-'));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a running server', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ binaries, dataDirectory: join(folder, 'running'), settings });
  });
  afterAll(() => server?.stop());

  it('listens on the loopback address and nowhere else', async () => {
    expect(await ask(server.url, 'show listen_addresses')).toBe('127.0.0.1');
    expect(await ask(server.url, 'show unix_socket_directories')).toBe('');
  });

  it('lets nobody in without its password', async () => {
    const url = new URL(server.url);
    url.password = 'guessed';
    await expect(ask(url.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps a second server out of its data directory', async () => {
    await expect(startPostgres({ binaries, dataDirectory: server.dataDirectory, settings })).rejects.toThrow(
      /data directory .*running is in use by another Postgres \(process \d+\)/,
    );
    expect(await ask(server.url, 'select 1 as one')).toBe(1);
  });

  it('keeps data and password over a stop and a new start', async () => {
    await run(server.url, 'create table kept as select 7 as number');
    const { url, dataDirectory, port } = server;
    await server.stop();
    await server.stop();
    expect(await isListening(port).catch(() => false)).toBe(false);
    server = await startPostgres({ binaries, dataDirectory, port, settings });
    expect(server.url).toBe(url);
    expect(await ask(url, 'select number from kept')).toBe(7);
  });
});

describe('what it refuses, in one sentence', () => {
  it('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = (other.address() as { port: number }).port;
    const started = startPostgres({ binaries, dataDirectory: join(folder, 'port'), port, settings });
    await expect(started).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`);
    other.close();
  });

  it('a data directory of another major version', async () => {
    const dataDirectory = join(folder, 'older');
    await mkdir(dataDirectory);
    await writeFile(join(dataDirectory, 'PG_VERSION'), '13\n');
    await expect(startPostgres({ binaries, dataDirectory })).rejects.toThrow(
      'was made by Postgres 13, and this is',
    );
  });

  it('a folder with other files, which it leaves alone', async () => {
    const dataDirectory = join(folder, 'thesis');
    await mkdir(dataDirectory);
    await writeFile(join(dataDirectory, 'thesis.txt'), 'chapter 1');
    await expect(startPostgres({ binaries, dataDirectory })).rejects.toThrow(
      'is not empty and not a Postgres data directory',
    );
    expect(await readFile(join(dataDirectory, 'thesis.txt'), 'utf8')).toBe('chapter 1');
  });

  it('a setting Postgres does not know', async () => {
    const started = startPostgres({
      binaries,
      dataDirectory: join(folder, 'setting'),
      settings: { fsink: 'off' },
    });
    await expect(started).rejects.toThrow(
      'Postgres did not start: unrecognized configuration parameter "fsink"',
    );
  });
});

it('ends with the process that started it, killed or not, and leaves the data directory to the next', async () => {
  const dataDirectory = join(folder, 'orphan');
  const parent = fork(join(import.meta.dirname, 'postgresParent.ts'), [dataDirectory]);
  const [orphan] = (await once(parent, 'message')) as [{ url: string; port: number }];
  await run(orphan.url, 'create table kept as select 7 as number');
  parent.kill('SIGKILL');
  await once(parent, 'exit');

  const next = await startPostgres({ binaries, dataDirectory, settings });
  expect(await ask(next.url, 'select number from kept')).toBe(7);
  await waitFor(async () => !(await isListening(orphan.port).catch(() => false)));
  await next.stop();
});

const isRoot = process.getuid?.() === 0 && findOnPath('setpriv') !== undefined;
it.runIf(isRoot)('runs for root below a folder that only root can enter', async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const installation = dirname(dirname(binaries.postgres));
  await cp(installation, join(closed, 'native'), { recursive: true, verbatimSymlinks: true });
  const server = await startPostgres({
    binaries: { postgres: join(closed, 'native/bin/postgres'), initdb: join(closed, 'native/bin/initdb') },
    dataDirectory: join(closed, 'data'),
    settings,
  });
  expect(await ask(server.url, 'select 1 as one')).toBe(1);
  await server.restart();
  expect(await ask(server.url, 'select 1 as one')).toBe(1);
  await server.stop();
});

async function run(connectionString: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The only value of the only row. */
async function ask(url: string, sql: string): Promise<unknown> {
  return Object.values((await run(url, sql)).rows[0] ?? {})[0];
}

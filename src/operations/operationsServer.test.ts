import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { quickestMs } from '../../tools/processorTime.ts';
import { Secret } from '../model/secret.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { makeMetrics } from '../telemetry/metrics.ts';
import type { Check } from './checks.ts';
import { type OperationsOptions, startOperationsServer } from './operationsServer.ts';

const ok: Check = async () => ({ ok: true, message: 'Fine.' });
const hanging: Check = () => new Promise(() => {});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(
  changes: Partial<OperationsOptions> = {},
  checks: Partial<OperationsOptions['checks']> = {},
) {
  const log: string[] = [];
  const server = await startOperationsServer({
    address: { host: '127.0.0.1', port: 0 },
    checks: { database: ok, migrations: ok, configs: ok, ...checks },
    metrics: makeMetrics({ version: '1.2.3' }),
    isAlive: () => ({ ok: true, message: 'Alive.' }),
    logger: makeLogger({ level: 'info', destination: { write: (line) => void log.push(line) } }),
    ...changes,
  });
  if (server.kind === 'failed') throw new Error(server.problem);
  stops.push(server.close);
  const url = `http://127.0.0.1:${server.port}`;
  return { ...server, log, get: (path: string, method = 'GET') => fetch(url + path, { method }) };
}

test('answers /livez with 200 without asking any check', async () => {
  const asked: string[] = [];
  const database: Check = async () => {
    asked.push('database');
    return { ok: false, message: 'Down.' };
  };
  const server = await start({}, { database });
  const response = await server.get('/livez');
  expect([response.status, await response.text(), asked]).toEqual([200, 'Alive.\n', []]);
});

test('answers /livez with 503 and the reason when the process is stuck', async () => {
  const server = await start({ isAlive: () => ({ ok: false, message: 'No poll for 60 s.' }) });
  const response = await server.get('/livez');
  expect([response.status, await response.text()]).toEqual([503, 'No poll for 60 s.\n']);
});

test('answers /readyz with 200 when every check passes', async () => {
  const response = await (await start()).get('/readyz');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    ready: true,
    checks: {
      database: { ok: true, message: 'Fine.' },
      migrations: { ok: true, message: 'Fine.' },
      configs: { ok: true, message: 'Fine.' },
    },
  });
});

test('answers /readyz with 503 and a sentence for each failing check, within a probe timeout of 1 s', async () => {
  const migrations: Check = async () => {
    throw Object.assign(new Error('connect to postgres://u:leaked-value@db'), { code: 'ECONNREFUSED' });
  };
  const server = await start({}, { database: hanging, migrations });
  const ask = async () => {
    const response = await server.get('/readyz');
    return { response, text: await response.text() };
  };
  expect(await quickestMs(ask, 3)).toBeLessThan(1_000);
  const { response, text } = await ask();
  expect(response.status).toBe(503);
  expect(JSON.parse(text)).toEqual({
    ready: false,
    checks: {
      database: { ok: false, message: 'No answer within 800 ms.' },
      migrations: { ok: false, message: 'The check failed (ECONNREFUSED).' },
      configs: { ok: true, message: 'Fine.' },
    },
  });
});

test('tells the check when its deadline has passed, and asks once for all who wait', async () => {
  let asked = 0;
  let aborted = false;
  const database: Check = (signal) => {
    asked += 1;
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return new Promise(() => {});
  };
  const server = await start({}, { database });
  const answers = await Promise.all(Array.from({ length: 20 }, () => server.get('/readyz')));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(503));
  const again = await server.get('/readyz');
  expect([again.status, asked, aborted]).toEqual([503, 1, true]);
});

test('asks a check again once it has answered, and logs only the changes', async () => {
  let healthy = false;
  const database: Check = async () => ({ ok: healthy, message: healthy ? 'Connected.' : 'No connection.' });
  const server = await start({}, { database });
  const statuses: number[] = [];
  for (const state of [false, false, true, true]) {
    healthy = state;
    statuses.push((await server.get('/readyz')).status);
  }
  expect(statuses).toEqual([503, 503, 200, 200]);
  expect(server.log.map((line) => JSON.parse(line).msg)).toEqual([
    'not ready: No connection.',
    'ready again: Connected.',
  ]);
});

test('serves the metrics as Prometheus text', async () => {
  const response = await (await start()).get('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await response.text()).toContain('audit_export_build_info{version="1.2.3"');
});

test('serves the metrics only to who has the token, where there is one, and probes to all', async () => {
  const server = await start({ metricsToken: new Secret('s3cr3t-s3cr3t-s3cr3t') });
  const statusOf = async (header?: string) => {
    const headers: Record<string, string> = header === undefined ? {} : { Authorization: header };
    return (await fetch(`http://127.0.0.1:${server.port}/metrics`, { headers })).status;
  };
  expect(await statusOf()).toBe(401);
  expect(await statusOf('Bearer s3cr3t')).toBe(401);
  expect(await statusOf('Basic s3cr3t-s3cr3t-s3cr3t')).toBe(401);
  expect(await statusOf('Bearer s3cr3t-s3cr3t-s3cr3t')).toBe(200);
  expect((await server.get('/livez')).status).toBe(200);
  expect((await server.get('/readyz')).status).toBe(200);
});

test('takes so many connections and no more, and goes on when some have ended', async () => {
  const server = await start();
  const sockets = Array.from({ length: 300 }, () => connect(server.port, '127.0.0.1').on('error', () => {}));
  while (sockets.filter((socket) => socket.closed).length < 300 - 256) await nextTurn();
  expect(sockets.filter((socket) => socket.closed)).toHaveLength(300 - 256);
  for (const socket of sockets) socket.destroy();
  while ((await server.get('/livez').catch(() => null))?.status !== 200) await nextTurn();
});

test('listens on all addresses of the machine, by either family', async () => {
  const server = await start({ address: { host: '::', port: 0 } });
  expect((await server.get('/livez')).status).toBe(200);
});

test('answers with 500 and no details when the metrics cannot be rendered', async () => {
  const render = () => Promise.reject(new Error('leaked-value'));
  const response = await (await start({ metrics: { contentType: 'text/plain', render } })).get('/metrics');
  expect([response.status, await response.text()]).toEqual([
    500,
    'This failed inside the collector; see its log.\n',
  ]);
});

test.each(['/', '/livez/', '/LIVEZ', '/metrics/x', '/readyz%2f', '//'])('answers 404 to %s', async (path) => {
  expect((await (await start()).get(path)).status).toBe(404);
});

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('answers 405 to %s', async (method) => {
  const response = await (await start()).get('/metrics', method);
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

test('answers HEAD, and names no software', async () => {
  const response = await (await start()).get('/livez', 'HEAD');
  expect([response.status, await response.text()]).toEqual([200, '']);
  expect(response.headers.get('x-powered-by')).toBeNull();
  expect(response.headers.get('cache-control')).toBe('no-store');
});

describe('an address that cannot be used is one sentence', () => {
  async function problemOf(host: string, port: number): Promise<string> {
    return start({ address: { host, port } }).then(
      () => 'no problem',
      (error: Error) => error.message,
    );
  }

  test('when the port is busy', async () => {
    const { port } = await start();
    expect(await problemOf('127.0.0.1', port)).toBe(
      `OPERATIONS_ADDRESS is 127.0.0.1:${port}, which something else listens on already: stop that, or choose another port.`,
    );
  });

  test('when the address belongs to another machine', async () => {
    expect(await problemOf('192.0.2.1', 9090)).toBe(
      'OPERATIONS_ADDRESS is 192.0.2.1:9090, which is not an address of this machine: choose one of its own, or 0.0.0.0 for all.',
    );
  });

  test('when it is a name nobody knows', async () => {
    expect(await problemOf('nowhere.invalid', 9090)).toMatch(
      /^OPERATIONS_ADDRESS is nowhere\.invalid:9090, a host name that cannot be resolved: write an IP address, such as 0\.0\.0\.0\.$/,
    );
  });
});

describe('close', () => {
  async function timeToClose(server: { close(): Promise<void> }): Promise<number> {
    const startedAt = performance.now();
    await server.close();
    return performance.now() - startedAt;
  }

  test('ends idle keep-alive connections at once', async () => {
    const server = await start();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      const sent = request({ port: server.port, path: '/livez', agent }, (response) => {
        response.resume().on('end', resolve);
      });
      sent.on('error', reject).end();
    });
    expect(await timeToClose(server)).toBeLessThan(900);
    agent.destroy();
  });

  test('lets an answer under way finish', async () => {
    const release = Promise.withResolvers<void>();
    let asked = false;
    const database: Check = async () => {
      asked = true;
      await release.promise;
      return { ok: true, message: 'Fine.' };
    };
    const server = await start({}, { database });
    const answer = server.get('/readyz');
    while (!asked) await nextTurn();
    const closing = timeToClose(server);
    release.resolve();
    expect((await answer).status).toBe(200);
    expect(await closing).toBeLessThan(900);
  });

  test('does not wait for a connection that never sends its request', async () => {
    const server = await start();
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    await new Promise<void>((resolve) => socket.write('GET /livez HTTP/1.1\r\n', () => resolve()));
    expect(await timeToClose(server)).toBeLessThan(4_000);
    socket.destroy();
  });

  test('frees the port', async () => {
    const server = await start();
    await server.close();
    const next = createServer();
    await new Promise<void>((resolve) => next.listen(server.port, '127.0.0.1', resolve));
    await new Promise((resolve) => next.close(resolve));
  });
});

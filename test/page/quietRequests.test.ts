/** What stands in the log, who is limited before anybody is known, and how many connections one address has. */

import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import express from 'express';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeClientAddress } from '../../src/web/security/clientAddress.ts';
import { limitConnectionsByAddress } from '../../src/web/security/connections.ts';
import { limitByAddress, limitByParameter } from '../../src/web/security/rateLimits.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

describe('live=1', () => {
  it('takes no request out of the log but a poll that went well', async () => {
    const page = await startPageUnderTest(postgres);
    const headers = { 'Sec-Fetch-Site': 'same-origin' };
    await fetch(`${page.origin}${logs}/newer?live=1`);
    await fetch(`${page.origin}${logs}/export?live=1`);
    await fetch(`${page.origin}${logs}?live=1`);
    await fetch(`${page.origin}${logs}/entries.csv?live=1`);
    await fetch(`${page.origin}${logs}/entries/99/json?live=1`);
    await fetch(`${page.origin}${logs}/export/new?live=1`, {
      method: 'POST',
      headers,
      body: new URLSearchParams(),
    });
    await fetch(`${page.origin}/organizations/globex/audit-logs/newer?live=1`);
    const logged = () =>
      page.log
        .filter((line) => line.includes('page: request'))
        .map((line) => {
          const { method, route, status } = JSON.parse(line);
          return [method, route.replace('/organizations/:organization/audit-logs', ''), status];
        });
    await waitFor(() => logged().length >= 5);
    expect(logged()).toEqual([
      ['GET', '', '200'],
      ['GET', '/entries.csv', '200'],
      ['GET', '/entries/:entry/json', '404'],
      ['POST', '/export/new', '422'],
      ['GET', '/newer', '403'],
    ]);
  });
});

async function listen(app: express.Express, most = 1_000): Promise<{ origin: string; port: number }> {
  const server = createServer(app);
  limitConnectionsByAddress(server, most);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as import('node:net').AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, port };
}

describe('a login', () => {
  const start = async (trusted: string[]) => {
    const app = express();
    app.get(
      '/login',
      limitByAddress(3, makeClientAddress(trusted)),
      (_request, response) => void response.send('in'),
    );
    app.get('/back', limitByParameter(2, 'state'), (_request, response) => void response.send('in'));
    const { origin } = await listen(app);
    return (path: string, forwarded?: string) =>
      fetch(origin + path, forwarded === undefined ? {} : { headers: { 'X-Forwarded-For': forwarded } }).then(
        (response) => response.status,
      );
  };

  it('is counted by the address that a trusted proxy names, and by nothing that a client says of itself', async () => {
    const ask = await start(['127.0.0.0/8', '10.1.0.0/16']);
    const statuses = [];
    for (const forged of ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'])
      statuses.push(await ask('/login', `${forged}, 203.0.113.7, 10.1.2.3`));
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect(await ask('/login', '203.0.113.8, 10.1.2.3')).toBe(200);
    expect(await ask('/login', '::ffff:203.0.113.7')).toBe(200);
  });

  it('is not counted by address where a proxy is in front that nobody has named', async () => {
    const ask = await start([]);
    for (let n = 0; n < 10; n++) expect(await ask('/login', '203.0.113.7')).toBe(200);
    const direct = [];
    for (let n = 0; n < 4; n++) direct.push(await ask('/login'));
    expect(direct).toEqual([200, 200, 200, 429]);
  });

  it('asks the provider a few times for one answer, and each login has its own', async () => {
    const ask = await start([]);
    expect([await ask('/back?state=a'), await ask('/back?state=a'), await ask('/back?state=a')]).toEqual([
      200, 200, 429,
    ]);
    expect(await ask('/back?state=b')).toBe(200);
  });
});

it('one address has so many connections and no more', async () => {
  const app = express();
  app.get('/', (_request, response) => void response.send('here'));
  const { port } = await listen(app, 3);
  const sockets: Socket[] = [];
  const open = async (): Promise<boolean> => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => {});
    return new Promise((resolve) => {
      socket.once('close', () => resolve(false));
      socket.once('data', () => resolve(true));
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    });
  };
  expect([await open(), await open(), await open(), await open()]).toEqual([true, true, true, false]);
  sockets[0]?.destroy();
  await waitFor(open);
  for (const socket of sockets) socket.destroy();
});

describe('what no page of ours is asked for', () => {
  it('cookies that are too large are answered in words, and not deleted by a link', async () => {
    const page = await startPageUnderTest(postgres);
    const response = await fetch(page.origin + logs, { headers: { Cookie: `a=${'x'.repeat(20_000)}` } });
    expect([response.status, response.headers.get('clear-site-data')]).toEqual([431, null]);
    expect(await response.text()).toContain('too large together');
  });

  it('a request that is no HTTP is answered in words', async () => {
    const page = await startPageUnderTest(postgres);
    const socket = connect(Number(new URL(page.origin).port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (piece) => {
      text += piece;
    });
    socket.write('nonsense\r\n\r\n');
    await waitFor(() => text.includes('not valid HTTP'));
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('assets are served under the address of another version, but not kept', async () => {
    const page = await startPageUnderTest(postgres);
    const ask = async (name: string) => {
      const response = await fetch(`${page.origin}/assets/otherVersion/${name}`);
      return [response.status, response.headers.get('cache-control'), response.headers.get('content-type')];
    };
    expect(await ask('app.css')).toEqual([200, 'no-store', 'text/css; charset=utf-8']);
    expect((await ask('unknown.css'))[0]).toBe(404);
    expect((await ask('..%2Fapp.css'))[0]).toBe(404);
  });
});

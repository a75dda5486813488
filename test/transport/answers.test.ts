/** What is sent, and which answers come back as they are. */
import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveTcp, until, userAgent } from './loopback.ts';

const mostBytes = 64 * 1024;

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A server that answers 200 and keeps what it was sent. */
async function serveRecorder() {
  const received: { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const server = await serveHttp(async (request, response) => {
    const body = await readAll(request);
    received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    response.setHeader('content-type', 'application/x-protobuf').end();
  });
  return { ...server, received };
}

describe('a request', () => {
  it('is a POST of the bytes as protobuf to path and query as configured', async () => {
    const server = await serveRecorder();
    const body = randomBytes(100_000);
    await send(openTransport(), makeDestination(`${server.url}?tenant=a`), body);
    expect(server.received).toHaveLength(1);
    const [request] = server.received;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/logs?tenant=a' });
    expect(request?.headers).toEqual({
      host: `127.0.0.1:${server.port}`,
      connection: 'keep-alive',
      'content-type': 'application/x-protobuf',
      'content-length': '100000',
      'accept-encoding': 'identity',
      'user-agent': userAgent,
    });
    expect(request?.body.equals(body)).toBe(true);
  });

  it('is gzipped when the destination says so', async () => {
    const server = await serveRecorder();
    const body = Buffer.alloc(100_000, 'audit');
    await send(openTransport(), makeDestination(server.url, { compression: 'gzip' }), body);
    const [request] = server.received;
    expect(request?.headers['content-encoding']).toBe('gzip');
    expect(request?.body.length).toBeLessThan(2_000);
    expect(gunzipSync(request?.body ?? '').equals(body)).toBe(true);
  });

  it('carries the configured headers, but not those that are ours', async () => {
    const server = await serveRecorder();
    const headers = {
      Authorization: 'Bearer t0ken',
      'X-Scope-OrgID': 'acme',
      'Content-Type': 'text/plain',
      'USER-AGENT': 'curl',
      'content-encoding': 'br',
      'Content-Length': '1',
      Host: 'elsewhere.example',
      'Transfer-Encoding': 'chunked',
      Connection: 'close',
      Expect: '100-continue',
      'Accept-Encoding': 'br',
    };
    const answer = await send(openTransport(), makeDestination(server.url, { headers }));
    expect(answer).toMatchObject({ status: 200 });
    expect(server.received[0]?.headers).toEqual({
      authorization: 'Bearer t0ken',
      'x-scope-orgid': 'acme',
      host: `127.0.0.1:${server.port}`,
      connection: 'keep-alive',
      'content-type': 'application/x-protobuf',
      'content-length': '3',
      'accept-encoding': 'identity',
      'user-agent': userAgent,
    });
  });

  it('carries nothing that says who asks, in any spelling', async () => {
    const server = await serveRecorder();
    const headers = {
      'X-Forwarded-User': 'ada',
      'x-forwarded-groups': 'audit-admin:acme',
      X_Forwarded_For: '127.0.0.1',
      Forwarded: 'for=127.0.0.1',
      'X-Real-IP': '127.0.0.1',
      'Sec-Fetch-Site': 'same-origin',
      Origin: 'https://audit.example.com',
      Cookie: 'session=1',
      'Proxy-Connection': 'keep-alive',
      'Proxy-Authorization': 'Basic cHJveHk=',
      'X-Remote-User': 'ada',
      X_REMOTE_USER: 'ada',
      'Keep-Alive': 'timeout=5',
      TE: 'trailers',
      Upgrade: 'h2c',
    };
    const leftOut = new Set<string>();
    const transport = openTransport({
      identityHeaders: ['X-Remote-User'],
      onHeaderLeftOut: (name) => leftOut.add(name),
    });
    expect(await send(transport, makeDestination(server.url, { headers }))).toMatchObject({ status: 200 });
    expect(server.received[0]?.headers).toEqual({
      'proxy-authorization': 'Basic cHJveHk=',
      host: `127.0.0.1:${server.port}`,
      connection: 'keep-alive',
      'content-type': 'application/x-protobuf',
      'content-length': '3',
      'accept-encoding': 'identity',
      'user-agent': userAgent,
    });
    expect(leftOut.size).toBe(Object.keys(headers).length - 1);
  });

  it.each([
    [{ Authorization: 'Bearer t0ken\n' }, 'The value of header Authorization has characters'],
    [{ 'X-Name': 'Łukasz' }, 'The value of header X-Name has characters'],
    [{ 'X Name': 'a' }, '"X Name" is not a header name'],
  ])('is not sent with a header HTTP does not allow: %j', async (headers, message) => {
    const server = await serveRecorder();
    const answer = await send(openTransport(), makeDestination(server.url, { headers }));
    expect(answer).toMatchObject({ kind: 'no-answer', message: expect.stringContaining(message) });
    expect(JSON.stringify(answer)).not.toContain('t0ken');
    expect(server.accepted()).toBe(0);
  });
});

describe('an answer', () => {
  it('comes back with status, headers in lower case and body', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(429, { 'Retry-After': '7', 'X-Many': ['a', 'b'] }).end('slow down');
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', status: 429, truncated: false });
    if (answer.kind !== 'response') throw new Error('no response');
    expect(answer.headers).toMatchObject({ 'retry-after': '7', 'x-many': 'a, b' });
    expect(Buffer.from(answer.body).toString()).toBe('slow down');
  });

  it.each([204, 301, 302, 307, 308])(
    'with status %i comes back, and a redirect is not followed',
    async (status) => {
      const target = await serveRecorder();
      const server = await serveHttp((_request, response) => {
        response.writeHead(status, { location: target.url }).end();
      });
      const answer = await send(openTransport(), makeDestination(server.url));
      expect(answer).toMatchObject({ kind: 'response', status, headers: { location: target.url } });
      expect(target.accepted()).toBe(0);
    },
  );

  it.each([
    ['with the first bytes', (socket: Socket, act: () => void) => socket.once('data', act)],
    ['with none', (_socket: Socket, act: () => void) => act()],
  ])('that is early counts as none when it is a 200: it came %s of a large body', async (_what, when) => {
    const server = await serveTcp((socket) =>
      when(socket, () => {
        socket.pause();
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
      }),
    );
    const body = Buffer.alloc(30_000_000, 1);
    expect(await send(openTransport(), makeDestination(server.url), body)).toEqual({
      kind: 'no-answer',
      cause: 'connection',
      message: `127.0.0.1:${server.port} answered before it had received the whole request, which does not count as an answer.`,
    });
  });

  it('that is early is read although the request is not: a 413 for a large body', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large');
    });
    const answer = await send(openTransport(), makeDestination(server.url), randomBytes(5_000_000));
    expect(answer).toMatchObject({ kind: 'response', status: 413 });
  });

  it('of exactly 64 KiB is whole', async () => {
    const server = await serveHttp((_request, response) => response.end(Buffer.alloc(mostBytes, 'a')));
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', truncated: false });
    expect(answer.kind === 'response' && answer.body.byteLength).toBe(mostBytes);
  });

  it('of 10 MB is cut at 64 KiB and its connection closed', async () => {
    const server = await serveHttp((_request, response) => response.end(Buffer.alloc(10_000_000, 'a')));
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', status: 200, truncated: true });
    expect(answer.kind === 'response' && answer.body.byteLength).toBe(mostBytes);
    await until(() => server.open() === 0);
  });

  it('in gzip nobody asked for is inflated', async () => {
    const server = await serveHttp((_request, response) => {
      response.setHeader('content-encoding', 'GZIP').end(gzipSync('hello'));
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer.kind === 'response' && Buffer.from(answer.body).toString()).toBe('hello');
  });

  it('that is a gzip bomb is cut at 64 KiB', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const server = await serveHttp((_request, response) => {
      response.setHeader('content-encoding', 'gzip').end(bomb);
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', truncated: true });
    expect(answer.kind === 'response' && answer.body.byteLength).toBe(mostBytes);
  });

  it.each([
    ['gzip', 'not gzip at all'],
    ['gzip', gzipSync('cut off in the middle').subarray(0, 25)],
    ['br', brotliCompressSync('hello')],
  ])(
    'said to be in %s that cannot be undone comes back as it is, never as an empty one',
    async (encoding, body) => {
      const server = await serveHttp((_request, response) => {
        response.setHeader('content-encoding', encoding).end(body);
      });
      const answer = await send(openTransport(), makeDestination(server.url));
      expect(answer.kind === 'response' && Buffer.from(answer.body).equals(Buffer.from(body))).toBe(true);
    },
  );

  it('after a 103 is the final one', async () => {
    const server = await serveTcp((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'),
      );
    });
    expect(await send(openTransport(), makeDestination(server.url))).toMatchObject({ status: 202 });
  });
});

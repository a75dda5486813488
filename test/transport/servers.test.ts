/** Several servers behind one name: what one of them cannot do is tried at another, and dead addresses are passed by. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Answer } from '../../src/model/answer.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { quickestMs } from '../../tools/processorTime.ts';
import { makeDestination } from '../tools/destination.ts';
import { openSwallowingPort } from '../tools/swallowingPort.ts';
import { openTransport, send, serveTcp } from './loopback.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** A balancer with two servers, in turn for each connection: the first is sick, the second answers 200. */
function serveBalanced(beSick: (socket: Socket) => void) {
  let connections = 0;
  return serveTcp((socket) => {
    connections += 1;
    const isSick = connections % 2 === 1;
    socket.on('data', () => (isSick ? beSick(socket) : socket.write(ok)));
  });
}

function answering(status: number): (socket: Socket) => void {
  return (socket) => socket.write(`HTTP/1.1 ${status} Sick\r\ncontent-length: 0\r\n\r\n`);
}

describe('after a failure the next attempt goes over another connection', () => {
  it.each<[string, (socket: Socket) => void]>([
    ['500', answering(500)],
    ['503', answering(503)],
    ['429', answering(429)],
    ['404', answering(404)],
    ['400', answering(400)],
    ['401', answering(401)],
    ['302', answering(302)],
    ['no answer', () => {}],
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['an answer that is no HTTP', (socket) => socket.write('hello\r\n\r\n')],
  ])('%s', async (_what, beSick) => {
    const server = await serveBalanced(beSick);
    const transport = openTransport();
    const destination = makeDestination(server.url, { timeoutMs: 500 });
    const first = await send(transport, destination);
    expect(first.kind === 'response' && first.status < 300).toBe(false);
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(server.accepted()).toBe(2);
  });

  it('also when the caller says that a 200 is none, and other connections are left', async () => {
    const server = await serveTcp((socket) => socket.on('data', () => socket.write(ok)));
    const transport = openTransport();
    const attempt = {
      destination: makeDestination(server.url),
      body: new Uint8Array([1]),
      signal: new AbortController().signal,
      stream: 'acme',
    };
    // Two connections are left idle.
    await Promise.all([transport.send(attempt), transport.send(attempt)]);
    expect(server.accepted()).toBe(2);
    await transport.send({ ...attempt, isGood: (_answer: Answer) => false });
    await transport.send(attempt);
    expect(server.accepted()).toBe(3);
    // Another stream may use what is left.
    await transport.send({ ...attempt, stream: 'globex' });
    expect(server.accepted()).toBe(3);
  });

  it('and so does one that asks for it', async () => {
    const server = await serveTcp((socket) => socket.on('data', () => socket.write(ok)));
    const transport = openTransport({ maxConnectionsPerOrigin: 2 });
    const attempt = {
      destination: makeDestination(server.url),
      body: new Uint8Array([1]),
      signal: new AbortController().signal,
    };
    for (let time = 1; time <= 4; time += 1) {
      expect(await transport.send({ ...attempt, freshConnection: true })).toMatchObject({ status: 200 });
      expect(server.accepted()).toBe(time);
      expect(server.open()).toBeLessThanOrEqual(2);
    }
  });
});

describe('a name with several addresses', () => {
  const addresses = ['127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 }));

  /** Both at the same port; not of 127.0.0.1, whose ports other tests take. */
  async function serveAt(host: string, port: number, status: number): Promise<() => number> {
    let requests = 0;
    const server = createServer((_request, response) => {
      requests += 1;
      response.writeHead(status).end();
    });
    await once(server.listen(port, host), 'listening');
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return () => requests;
  }

  it('is reached within a second when the first swallows packets, and goes to the other at once after that', async () => {
    const port = await openSwallowingPort('127.0.0.2');
    await serveAt('127.0.0.3', port, 200);
    const transport = openTransport({ resolveName: async () => addresses });
    const destination = makeDestination(`http://two.example:${port}/`, { timeoutMs: 1_000 });
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    const fresh = { destination, body: new Uint8Array([1]), signal: new AbortController().signal };
    const sendAgain = async () =>
      expect(await transport.send({ ...fresh, freshConnection: true })).toMatchObject({ status: 200 });
    expect(await quickestMs(sendAgain)).toBeLessThan(200);
  });

  it('goes to the second after the first one failed', async () => {
    const port = await findFreePort('127.0.0.2');
    const sick = await serveAt('127.0.0.2', port, 503);
    const fine = await serveAt('127.0.0.3', port, 200);
    const transport = openTransport({
      resolveName: async () => ['127.0.0.2', '127.0.0.3'].map((address) => ({ address, family: 4 })),
    });
    const destination = makeDestination(`http://two.example:${port}/`);
    expect(await send(transport, destination)).toMatchObject({ status: 503 });
    for (let time = 0; time < 3; time += 1) {
      expect(await send(transport, destination)).toMatchObject({ status: 200 });
    }
    expect([sick(), fine()]).toEqual([1, 3]);
  });
});

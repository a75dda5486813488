/** Failures of name, network and receiver: each is a no-answer with a cause and a sentence. */
import { describe, expect, it } from 'vitest';
import type { NoAnswer } from '../../src/model/answer.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveTcp, until } from './loopback.ts';

/** A name that always resolves to loopback, so that sockets really are opened. */
const unreachableName = 'receiver.example';

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('a connection that fails', () => {
  it('says that it was refused', async () => {
    const port = await findFreePort();
    const answer = await send(openTransport(), makeDestination(`http://127.0.0.1:${port}/v1/logs`));
    expect(answer).toEqual<NoAnswer>({
      kind: 'no-answer',
      cause: 'refused',
      message: `Could not connect to 127.0.0.1:${port}: connection refused.`,
    });
  });

  it('says that it was refused when every address of a name refuses', async () => {
    const port = await findFreePort();
    const resolveName = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    const answer = await send(
      openTransport({ resolveName }),
      makeDestination(`http://receiver.example:${port}/`),
    );
    expect(answer).toMatchObject({ cause: 'refused' });
  });

  it.each([
    ['ENOTFOUND', 'the name does not exist'],
    ['EAI_AGAIN', 'the DNS server does not answer'],
    ['EAI_NODATA', 'EAI_NODATA'],
  ])('names the DNS failure %s', async (code, why) => {
    const transport = openTransport({ resolveName: () => Promise.reject(failure(code)) });
    expect(await send(transport, makeDestination(`http://${unreachableName}:4318/`))).toEqual<NoAnswer>({
      kind: 'no-answer',
      cause: 'dns',
      message: `Could not resolve the name of receiver.example:4318: ${why}.`,
    });
  });

  it('asks the system for names', async () => {
    const answer = await send(openTransport(), makeDestination('http://no-such-name.invalid:4318/'));
    expect(answer).toMatchObject({ cause: 'dns' });
  });

  it('ends at the deadline when the name is never resolved', async () => {
    const transport = openTransport({ resolveName: () => new Promise(() => {}) });
    const answer = await send(transport, makeDestination(`http://${unreachableName}/`, { timeoutMs: 100 }));
    expect(answer).toEqual<NoAnswer>({
      kind: 'no-answer',
      cause: 'dns',
      message: 'Could not resolve the name of receiver.example: no answer from DNS within 0.1 s.',
    });
  });
});

describe('a receiver that fails', () => {
  it.each<[string, Parameters<typeof serveTcp>[0], string]>([
    ['resets', (socket) => socket.once('data', () => socket.resetAndDestroy()), 'reset by the other side'],
    ['closes at once', (socket) => socket.destroy(), ''],
    [
      'closes without an answer',
      (socket) => socket.once('data', () => socket.end()),
      'closed by the other side',
    ],
    [
      'answers no HTTP',
      (socket) => socket.once('data', () => socket.end('220 smtp ready\r\n')),
      'the answer is not HTTP',
    ],
    [
      'breaks off inside the headers',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-le')),
      'closed by the other side',
    ],
    [
      'breaks off inside the body',
      (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')),
      'closed by the other side',
    ],
    [
      'breaks off inside a chunked body',
      (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab')),
      '',
    ],
    [
      'sends endless headers',
      (socket) => socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}`)),
      "the answer's headers are too large",
    ],
  ])('%s', async (_what, listener, why) => {
    const server = await serveTcp(listener);
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'no-answer', cause: 'connection' });
    const { message } = answer as NoAnswer;
    expect(message).toMatch(`The connection to 127.0.0.1:${server.port} failed: `);
    expect(message).toContain(why);
  });

  it.each<[string, Parameters<typeof serveHttp>[0], (host: string) => string]>([
    ['never answers', () => {}, (host) => `No answer from ${host} within 0.2 s.`],
    [
      'sends its body drop by drop',
      (_request, response) => {
        const drops = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(drops));
      },
      (host) => `The answer of ${host} was not complete within 0.2 s.`,
    ],
  ])('%s: the deadline covers all of the attempt', async (_what, listener, message) => {
    const server = await serveHttp(listener);
    const startedAt = performance.now();
    const answer = await send(openTransport(), makeDestination(server.url, { timeoutMs: 200 }));
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(answer).toEqual<NoAnswer>({
      kind: 'no-answer',
      cause: 'timeout',
      message: message(`127.0.0.1:${server.port}`),
    });
    await until(() => server.open() === 0);
  });

  it('sends its headers drop by drop: the deadline covers them too', async () => {
    const server = await serveTcp((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drops = setInterval(() => socket.write('x-drop: a\r\n'), 20);
      socket.on('close', () => clearInterval(drops));
    });
    const answer = await send(openTransport(), makeDestination(server.url, { timeoutMs: 200 }));
    expect(answer).toMatchObject({ cause: 'timeout' });
    await until(() => server.open() === 0);
  });

  it('never reads the request: the deadline covers sending', async () => {
    const server = await serveTcp((socket) => socket.pause());
    const body = Buffer.alloc(50_000_000);
    const answer = await send(openTransport(), makeDestination(server.url, { timeoutMs: 200 }), body);
    expect(answer).toMatchObject({ cause: 'timeout' });
  });
});

describe('the caller’s signal', () => {
  it('ends an attempt under way and closes its connection', async () => {
    const server = await serveHttp(() => {});
    const controller = new AbortController();
    const answer = send(openTransport(), makeDestination(server.url), new Uint8Array([1]), controller.signal);
    await until(() => server.open() === 1);
    controller.abort();
    expect(await answer).toMatchObject({ kind: 'no-answer', cause: 'aborted' });
    await until(() => server.open() === 0);
  });

  it('ends an attempt whose answer is being read', async () => {
    let began = false;
    const server = await serveHttp((_request, response) => {
      response.write('.', () => {
        began = true;
      });
    });
    const controller = new AbortController();
    const answer = send(openTransport(), makeDestination(server.url), new Uint8Array([1]), controller.signal);
    await until(() => began);
    controller.abort();
    expect(await answer).toMatchObject({ cause: 'aborted' });
  });

  it('that is aborted already sends nothing', async () => {
    const server = await serveHttp(() => {});
    const answer = await send(
      openTransport(),
      makeDestination(server.url),
      new Uint8Array([1]),
      AbortSignal.abort(),
    );
    expect(answer).toMatchObject({ cause: 'aborted' });
    expect(server.accepted()).toBe(0);
  });

  it('keeps no listener after the attempt', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      listeners += 1;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...given);
    };
    await send(openTransport(), makeDestination(server.url), new Uint8Array([1]), signal);
    expect(listeners).toBe(0);
  });
});

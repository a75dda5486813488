/** Whatever a receiver sends: memory, time of the event loop and connections stay bounded, and a whole answer counts. */
import type { Socket } from 'node:net';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Answer, NoAnswer } from '../../src/model/answer.ts';
import { longestTurn } from '../../tools/processorTime.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveTcp, until } from './loopback.ts';

const chunked = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';

/** Writes pieces for as long as the other side takes them, at most `count`. */
function pour(socket: Socket, piece: string, count: number): void {
  let left = count;
  const write = () => {
    while (left > 0 && !socket.destroyed) {
      left -= 1;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', write);
  write();
}

function onRequest(socket: Socket, act: () => void): void {
  socket.once('data', act);
}

function expectTooLarge(answer: Answer): void {
  if (answer.kind === 'response') expect(answer.truncated).toBe(true);
  else expect(answer.cause).toBe('too-large');
}

describe('an answer without end is cut, and its connection closed', () => {
  it.each<[string, (socket: Socket) => void]>([
    [
      'chunk extensions of 60 KB before each byte',
      (socket) => {
        socket.write(chunked);
        pour(socket, `1;${'x'.repeat(60_000)}\r\na\r\n`, 5_000);
      },
    ],
    [
      'chunks of one byte',
      (socket) => {
        socket.write(chunked);
        pour(socket, '1\r\na\r\n'.repeat(1_000), 4_000);
      },
    ],
    [
      'early hints',
      (socket) => pour(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(1_000), 100),
    ],
    ['continues', (socket) => pour(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000), 100)],
    [
      'one interim answer',
      (socket) => {
        socket.write('HTTP/1.1 103 Early Hints\r\n');
        pour(socket, `x-a: ${'a'.repeat(1_000)}\r\n`, 100_000);
      },
    ],
    [
      'trailers',
      (socket) => {
        socket.write(`${chunked}2\r\n{}\r\n0\r\n`);
        pour(socket, `x-a: ${'a'.repeat(1_000)}\r\n`, 100_000);
      },
    ],
    [
      'a body',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n');
        pour(socket, `{"a":"${'a'.repeat(1_000)}"}`, 100_000);
      },
    ],
    [
      'a chunk size',
      (socket) => {
        socket.write(chunked);
        pour(socket, '0'.repeat(1_000), 100_000);
      },
    ],
  ])('%s', async (_what, answer) => {
    let written = 0;
    const server = await serveTcp((socket) => {
      onRequest(socket, () => answer(socket));
      socket.on('close', () => {
        written = socket.bytesWritten;
      });
    });
    const { result, longestMs } = await longestTurn(send(openTransport(), makeDestination(server.url)));
    if (result.kind === 'response') expect(result.truncated).toBe(true);
    else expect(['too-large', 'connection']).toContain(result.cause);
    await until(() => server.open() === 0);
    // What lies in the buffers of both sockets counts too.
    expect(written).toBeLessThan(20_000_000);
    expect(longestMs).toBeLessThan(500);
  });

  it('before there is a status it has a reason of its own', async () => {
    const server = await serveTcp((socket) =>
      onRequest(socket, () => pour(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n', 1_000)),
    );
    const answer = (await send(openTransport(), makeDestination(server.url))) as NoAnswer;
    expectTooLarge(answer);
    expect(answer.message).toBe(
      `The answer of 127.0.0.1:${server.port} has more than 16 interim answers: it is not an OTLP receiver.`,
    );
  });

  it('keeps its status where it has one: a failure is still judged by that', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(503).end(Buffer.alloc(1_000_000, 'a'));
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', status: 503, truncated: true });
  });

  it('takes no memory: 200 of them with extensions', async () => {
    const server = await serveTcp((socket) =>
      onRequest(socket, () => {
        socket.write(chunked);
        pour(socket, `1;${'x'.repeat(60_000)}\r\na\r\n`, 5_000);
      }),
    );
    const transport = openTransport();
    const before = process.memoryUsage().arrayBuffers;
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => send(transport, makeDestination(server.url))),
    );
    for (const answer of answers) expectTooLarge(answer);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000);
  });
});

describe('lines past the limit of the parser cost nothing', () => {
  it.each([
    ['headers', 'HTTP/1.1 200 OK\r\n'],
    ['trailers', `${chunked}0\r\n`],
  ])('%s', async (_what, begin) => {
    const answer = begin + 'a:\r\n'.repeat(60_000);
    const server = await serveTcp((socket) => onRequest(socket, () => socket.write(answer)));
    const transport = openTransport();
    await send(transport, makeDestination(server.url));
    const { result, longestMs } = await longestTurn(send(transport, makeDestination(server.url)));
    expect(result).toMatchObject({
      cause: 'connection',
      message: expect.stringContaining('headers are too large'),
    });
    expect(longestMs).toBeLessThan(200);
  });
});

describe('an answer in many pieces', () => {
  it('that is short counts, however it comes', async () => {
    const text = `${chunked}2\r\n{}\r\n0\r\nx-trailer: a\r\n\r\n`;
    const server = await serveTcp((socket) => {
      socket.setNoDelay(true);
      onRequest(socket, async () => {
        for (const character of text) {
          socket.write(character);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ status: 200, truncated: false });
    expect(answer.kind === 'response' && Buffer.from(answer.body).toString()).toBe('{}');
  });

  it('counts from the beginning for each attempt on a connection', async () => {
    const body = Buffer.alloc(60_000, 'a');
    const server = await serveHttp((_request, response) => response.end(body));
    const transport = openTransport();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      expect(await send(transport, makeDestination(server.url))).toMatchObject({ truncated: false });
    }
    expect(server.accepted()).toBe(1);
  });
});

describe('interim answers nobody asked for are skipped', () => {
  it.each([
    ['100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['100 without a reason', 'HTTP/1.1 100\r\n\r\n'],
    ['100 of HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
    ['102', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['103 with headers', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'],
    ['several', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n'],
    ['199', 'HTTP/1.1 199 Miscellaneous\r\n\r\n'],
  ])('%s', async (_what, interim) => {
    const final = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
    for (const pieces of [[interim + final], [interim, final], [...(interim + final)]]) {
      const server = await serveTcp((socket) => {
        socket.setNoDelay(true);
        socket.on('data', async () => {
          for (const piece of pieces) {
            socket.write(piece);
            await new Promise((resolve) => setImmediate(resolve));
          }
        });
      });
      const transport = openTransport();
      // The second goes over the same connection.
      for (let attempt = 0; attempt < 2; attempt += 1) {
        expect(await send(transport, makeDestination(server.url))).toMatchObject({ status: 200 });
      }
      expect(server.accepted()).toBe(1);
    }
  });

  it('but not a switch to another protocol', async () => {
    const server = await serveTcp((socket) =>
      onRequest(socket, () => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n')),
    );
    const answer = await send(openTransport(), makeDestination(server.url, { timeoutMs: 1_000 }));
    expect(answer).toMatchObject({ kind: 'no-answer', cause: 'connection' });
  });
});

describe('a body in a coding nobody asked for is read', () => {
  const text = '{"partialSuccess":{}}';
  it.each<[string, string, Buffer]>([
    ['deflate', 'deflate', deflateSync(text)],
    ['bare deflate', 'deflate', deflateRawSync(text)],
    ['gzip in gzip', 'gzip, gzip', gzipSync(gzipSync(text))],
    ['gzip in gzip, named once', 'gzip', gzipSync(gzipSync(text))],
    ['gzip in deflate', 'gzip, deflate', deflateSync(gzipSync(text))],
    ['gzip that is not named', '', gzipSync(text)],
    ['x-gzip', 'x-gzip', gzipSync(text)],
    ['identity', 'identity', Buffer.from(text)],
  ])('%s', async (_what, coding, body) => {
    const server = await serveHttp((_request, response) => {
      if (coding !== '') response.setHeader('content-encoding', coding);
      response.setHeader('content-type', 'application/json').end(body);
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer.kind === 'response' && Buffer.from(answer.body).toString()).toBe(text);
  });

  it('no further than 64 KiB, whatever is in what', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(50_000_000)));
    const server = await serveHttp((_request, response) => {
      response.setHeader('content-encoding', 'gzip, gzip').end(bomb);
    });
    const answer = await send(openTransport(), makeDestination(server.url));
    expect(answer).toMatchObject({ kind: 'response', truncated: true });
    expect(answer.kind === 'response' && answer.body.byteLength).toBe(64 * 1024);
  });
});

/**
 * Receivers of the worst kinds, on raw sockets. Run it as a worker thread, so that what they send does not hold up the test:
 * it posts the port of each kind.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';

export type HostileKind = keyof typeof kinds;
/** What the worker posts, once. */
export type HostilePorts = Readonly<Record<HostileKind, number>>;

const okHead = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';

/** Each answers one request that has come in whole. */
const kinds = {
  /** A good answer, and late. */
  slow: async (socket: Socket) => {
    await delay(20_000, undefined, { ref: false });
    socket.write(`${okHead}content-length: 2\r\n\r\n{}`);
  },
  /** 60 KB of chunk extension before each byte of the body, without end. */
  chunkExtensions: async (socket: Socket) => {
    socket.write(`${okHead}transfer-encoding: chunked\r\n\r\n`);
    await repeat(socket, `1;${'x'.repeat(60_000)}\r\n \r\n`);
  },
  /** Announcements of an answer that never comes. */
  earlyHints: (socket: Socket) =>
    repeat(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'.repeat(200)),
  /** 4 MiB of JSON that takes a second to parse. */
  largeJson: async (socket: Socket) => {
    socket.write(`${okHead}content-length: ${largeJson.length}\r\n\r\n`);
    socket.write(largeJson);
  },
  /** Four million chunks of one byte. */
  tinyChunks: async (socket: Socket) => {
    socket.write(`${okHead}transfer-encoding: chunked\r\n\r\n`);
    await repeat(socket, '1\r\n \r\n'.repeat(10_000), 400);
    socket.write('0\r\n\r\n');
  },
};

const largeJson = Buffer.from(
  JSON.stringify(Object.fromEntries(Array.from({ length: 330_000 }, (_, n) => [`k${n}`, n]))),
).subarray(0, 4 * 1024 * 1024);

/** At the pace of the taker, until it has gone. */
async function repeat(socket: Socket, text: string, times = Number.POSITIVE_INFINITY): Promise<void> {
  const bytes = Buffer.from(text);
  for (let n = 0; n < times && !socket.destroyed; n++) {
    if (!socket.write(bytes)) await untilDrained(socket);
  }
}

/** Or closed. */
function untilDrained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      socket.off('drain', finish).off('close', finish);
      resolve();
    };
    if (socket.destroyed) finish();
    else socket.on('drain', finish).on('close', finish);
  });
}

async function listen(answer: (socket: Socket) => Promise<void>): Promise<number> {
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received.toString('latin1', 0, headEnd))?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      received = received.subarray(headEnd + 4 + length);
      answer(socket).catch(() => socket.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const ports = await Promise.all(
  Object.entries(kinds).map(async ([kind, answer]) => [kind, await listen(answer)] as const),
);
parentPort?.postMessage(Object.fromEntries(ports));

/**
 * Real servers on the loopback address, and a transport to talk to them; all of it ends with the test.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { onTestFinished } from 'vitest';
import type { Answer } from '../../src/model/answer.ts';
import type { Destination } from '../../src/model/exportConfig.ts';
import { makeAddressGuard } from '../../src/transport/addressGuard.ts';
import { makeTransport, type Transport, type TransportOptions } from '../../src/transport/transport.ts';

export const userAgent = 'audit-export/1.2.3 OTel-OTLP-Exporter-JavaScript/1.2.3';

export function openTransport(options: Partial<TransportOptions> = {}): Transport {
  const transport = makeTransport({ guard: makeAddressGuard({ refusedRanges: [] }), userAgent, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

export function send(
  transport: Transport,
  destination: Destination,
  body: Uint8Array = new Uint8Array([1, 2, 3]),
  signal: AbortSignal = new AbortController().signal,
): Promise<Answer> {
  return transport.send({ destination, body, signal });
}

/** Counts of connections a server has taken, and those still open. */
export interface Listening {
  readonly port: number;
  readonly url: string;
  readonly accepted: () => number;
  readonly open: () => number;
}

export function serveHttp(listener: RequestListener): Promise<Listening & { readonly server: Server }> {
  return listen(createServer(listener), 'http');
}

export function serveHttps(options: ServerOptions, listener: RequestListener): Promise<Listening> {
  return listen(createSecureServer(options, listener), 'https');
}

/** Raw TCP: `listener` sees each connection, and may answer anything. */
export function serveTcp(listener: (socket: Socket) => void): Promise<Listening> {
  return listen(createTcpServer(listener), 'http');
}

async function listen<S extends TcpServer>(server: S, scheme: string): Promise<Listening & { server: S }> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  // Handshakes that fail are what some tests are about.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    url: `${scheme}://127.0.0.1:${port}/v1/logs`,
    accepted: () => accepted,
    open: () => sockets.size,
  };
}

/** Resolves once `isTrue`; rejects after two seconds. */
export async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 2_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`Not within 2 s: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

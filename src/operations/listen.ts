/** Listening and closing, the same for every HTTP server of the process. */
import type { Server, ServerResponse } from 'node:http';
import type { ListenAddress } from '../settings/values.ts';

/** null: it listens; else the error. `::` means every address of this machine, even where it has no IPv6. */
export async function listen(server: Server, address: ListenAddress): Promise<NodeJS.ErrnoException | null> {
  const error = await listenOn(server, address);
  const isWithoutIpv6 = error?.code === 'EAFNOSUPPORT' || error?.code === 'EADDRNOTAVAIL';
  return address.host === '::' && isWithoutIpv6
    ? await listenOn(server, { ...address, host: '0.0.0.0' })
    : error;
}

function listenOn(server: Server, { host, port }: ListenAddress): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => {
      server.off('error', resolve);
      resolve(null);
    });
  });
}

/** One sentence naming the setting, its value and the way out. */
export function describeListenError(
  setting: string,
  error: NodeJS.ErrnoException,
  { host, port }: ListenAddress,
): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const what =
    explanations[error.code ?? ''] ??
    `which cannot be listened on (${error.code ?? 'unknown error'}): choose another address`;
  return `${setting} is ${address}, ${what}.`;
}

const notResolved = 'a host name that cannot be resolved: write an IP address, such as 0.0.0.0';

const explanations: Readonly<Record<string, string>> = {
  EADDRINUSE: 'which something else listens on already: stop that, or choose another port',
  EACCES: 'which this user may not listen on: choose a port from 1024 up',
  EADDRNOTAVAIL: 'which is not an address of this machine: choose one of its own, or 0.0.0.0 for all',
  ENOTFOUND: notResolved,
  EAI_AGAIN: notResolved,
  EAFNOSUPPORT: 'an IPv6 address, but this machine has no IPv6: choose an IPv4 address',
};

/** Answers under way, by server. */
const underWay = new WeakMap<Server, Set<ServerResponse>>();

/** Node ends the connections that are idle when `close` is called, and leaves open those that become idle later. */
export function endConnectionsIdleAfterClose(server: Server): void {
  const answers = new Set<ServerResponse>();
  underWay.set(server, answers);
  server.on('request', (_request, response) => {
    answers.add(response);
    response.once('close', () => {
      answers.delete(response);
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  });
}

/** Takes no further connection, ends the idle ones, and after `graceMs` those with an answer under way. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => {
    for (const answer of underWay.get(server) ?? []) breakOff(answer);
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearTimeout(timer);
}

/**
 * Breaks the connection of an answer that will not be complete. In HTTP/1.0, which nginx speaks to servers unless it is told otherwise, the
 * end of a connection is the end of the answer: only a reset says that something is missing.
 */
export function breakOff(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

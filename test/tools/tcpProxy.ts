/** Stands between a client and a server of this machine, and can swallow everything, as a broken network does: no reset, no end. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TcpProxy {
  readonly port: number;
  /** From now on nothing gets through, in either direction; connections stay open. */
  cut(): void;
  /** Lets through again; what was cut is closed, as the other side would after a while. */
  heal(): void;
  /** Ends what is connected; from now on connections go to this port. */
  retarget(port: number): void;
}

/** Listens on the loopback address. Ended with the test. */
export async function startTcpProxy(firstTarget: number): Promise<TcpProxy> {
  const proxy = await openTcpProxy(firstTarget);
  onTestFinished(proxy.close);
  return proxy;
}

/** Listens on the address `host` of this machine. */
export async function openTcpProxy(
  firstTarget: number,
  host = '127.0.0.1',
): Promise<TcpProxy & { close(): void }> {
  let targetPort = firstTarget;
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    sockets.add(client);
    client.on('error', () => {}).on('close', () => sockets.delete(client));
    if (isCut) return;
    const target = connect(targetPort, '127.0.0.1');
    sockets.add(target);
    target.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => target.destroy());
    client.on('data', (chunk) => isCut || target.write(chunk));
    target.on('data', (chunk) => isCut || client.write(chunk));
    client.resume();
  });
  server.listen(0, host);
  await once(server, 'listening');
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut: () => {
      isCut = true;
    },
    heal: () => {
      isCut = false;
      destroyAll();
    },
    retarget: (port) => {
      targetPort = port;
      destroyAll();
    },
    close: () => {
      server.close();
      destroyAll();
    },
  };
}

/** Limits how many connections one address may hold, so that it cannot take all of them. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Closes one more at once. Connections of unknown address count as one address. */
export function limitConnectionsByAddress(server: Server, most: number): void {
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = open.get(address) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
}

/** A port that swallows packets: it listens, accepts nothing, and its queue is full. */
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** Blocks its thread once it listens, so that nothing is accepted. */
const listener = `
  const { createServer } = require('node:net');
  const { parentPort, workerData } = require('node:worker_threads');
  const server = createServer();
  server.listen({ port: 0, host: workerData.host, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(workerData.gate), 0, 0, 120_000);
    server.close();
  });
`;

/** The port at `host`, until the test ends. */
export async function openSwallowingPort(host: string): Promise<number> {
  const gate = new SharedArrayBuffer(4);
  const worker = new Worker(listener, { eval: true, workerData: { host, gate } });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    Atomics.store(new Int32Array(gate), 0, 1);
    Atomics.notify(new Int32Array(gate), 0);
    await worker.terminate();
  });
  // The queue holds a few more than it says; the first that does not get in shows that it is full.
  for (let isFull = false; !isFull; ) {
    const socket = connect({ host, port }).on('error', () => {});
    sockets.push(socket);
    isFull = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), 300);
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(false);
      });
    });
    if (sockets.length > 100) throw new Error('the queue of a listener is never full here');
  }
  return port;
}

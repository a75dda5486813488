import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to connections and to whoever asks for any (from 32768), and Kubernetes' (from 30000). */
const lowest = 10_000;
const highest = 29_999;

/**
 * A port that nothing listens on right now at `host`. Since no system hands these out by itself, only another caller of
 * this function can take it first, and the choice is by chance.
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (await isFree(host, port)) return port;
  }
  throw new Error(`${host} has no free port from ${lowest} to ${highest}.`);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

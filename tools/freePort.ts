import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to connections and to whoever asks for any (from 32768), and Kubernetes' (from 30000). */
const lowest = 10_000;
/** For each test worker its own, and the first for whoever is none: no two of them ever choose the same. */
const portsEach = 4_000;
const shares = 5;

const first = lowest + (Number(process.env['VITEST_POOL_ID'] ?? 0) % shares) * portsEach;
/** Begins by chance, since a process that a worker starts chooses from the same share. */
let next = Math.floor(Math.random() * portsEach);

/**
 * A port that nothing listens on right now at `host`, and that this process does not give again for some thousand
 * calls: a port is chosen a while before its program listens, so the next choice must not be the same. Since no system
 * hands these out by itself, nobody else comes between.
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < portsEach; tries += 1) {
    const port = first + next;
    next = (next + 1) % portsEach;
    if (await isFree(host, port)) return port;
  }
  throw new Error(`${host} has no free port from ${first} to ${first + portsEach - 1}.`);
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

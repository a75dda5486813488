/**
 * Lets one demo at a time use a folder. The holder listens on a port and writes it into a file: a process that was
 * killed no longer answers there, even if another process has its number now.
 */
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Lock =
  | { readonly kind: 'held'; release(): Promise<void> }
  /** The process that holds the lock. */
  | { readonly kind: 'taken'; readonly pid: number };

const answerTimeoutMs = 2_000;

/** @throws Error of node:fs if the file cannot be written. */
export async function takeLock(file: string): Promise<Lock> {
  const greeting = `audit-export-demo ${process.pid}`;
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(greeting);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  const content = `${(server.address() as AddressInfo).port} ${greeting}`;
  for (;;) {
    try {
      await writeFile(file, content, { flag: 'wx' });
      return {
        kind: 'held',
        async release() {
          await rm(file, { force: true });
          server.close();
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        server.close();
        throw error;
      }
    }
    const pid = await findHolder(file);
    if (pid !== null) {
      server.close();
      return { kind: 'taken', pid };
    }
    await rm(file, { force: true });
  }
}

/** The process that wrote the file, if it still answers. */
async function findHolder(file: string): Promise<number | null> {
  const [, port, greeting, pid] =
    /^(\d+) (audit-export-demo (\d+))$/.exec(await readFile(file, 'utf8').catch(() => '')) ?? [];
  if (port === undefined || (await ask(connect(Number(port), '127.0.0.1'))) !== greeting) return null;
  return Number(pid);
}

async function ask(socket: Socket): Promise<string> {
  socket.setTimeout(answerTimeoutMs, () => socket.destroy());
  let answer = '';
  try {
    for await (const chunk of socket.setEncoding('utf8')) answer += chunk;
  } catch {
    // Nothing listens there.
  }
  return answer;
}

/** Host names that nobody answers for: a DNS server that swallows every question, for one process alone. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

/** An address of this machine that no other test's server has; a resolv.conf names no port. */
const address = '127.53.53.53';

/**
 * Starts the server, and returns what is to stand before a command for it to resolve names there: a mount namespace with
 * a resolv.conf of its own. Undefined, with a line on the console, where that takes rights that this user lacks.
 *
 * @throws Error when the variable CI is set, instead of that line.
 */
export async function startDeadDns(folder: string): Promise<readonly string[] | undefined> {
  const file = join(folder, 'resolv.conf');
  await writeFile(file, `nameserver ${address}\noptions timeout:5 attempts:2\n`);
  const prefix = ['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/resolv.conf && exec "$@"', file];
  const socket = createSocket('udp4');
  try {
    const [command = '', ...args] = prefix;
    await promisify(execFile)(command, [...args, 'true']);
    socket.bind(53, address);
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    const why = `host names without an answer: ${(error as Error).message.trim().split('\n').at(-1)}`;
    if (process.env['CI']) throw new Error(why);
    console.warn(`SKIPPED: ${why}`);
    return undefined;
  }
  onTestFinished(() => void socket.close());
  return prefix;
}

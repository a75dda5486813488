/** One run of a server process: started, ready or failed, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { killWithParent } from '../killWithParent.ts';
import { postgresEnvironment } from './environment.ts';
import type { RunAs } from './runAs.ts';

export type StopMode = 'fast' | 'immediate';

export interface ServerProcess {
  /** Resolves when the process has ended, for any reason, with its last output. */
  readonly ended: Promise<readonly string[]>;
  stop(mode: StopMode): Promise<void>;
}

/** `log`: the server's output before it gave up. */
export type StartResult =
  | { readonly kind: 'ready'; readonly server: ServerProcess }
  | { readonly kind: 'failed'; readonly log: readonly string[] };

const startTimeoutMs = 60_000;
const stopTimeoutMs = 30_000;
const pollMs = 20;
const keptLogLines = 50;

/** Resolves when the server accepts connections, or has ended without doing so. */
export async function startServerProcess(
  postgres: string,
  args: readonly string[],
  options: { dataDirectory: string; runAs: RunAs; onLog?: ((line: string) => void) | undefined },
): Promise<StartResult> {
  const [command = '', ...rest] = [...options.runAs.prefix, postgres, '-D', options.dataDirectory, ...args];
  const child = spawn(command, rest, {
    ...options.runAs.ids,
    cwd: '/',
    env: postgresEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // A separate session: this process handles Ctrl-C in the terminal, and stops the server last.
    detached: true,
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line);
    if (log.length > keptLogLines) log.shift();
    options.onLog?.(line);
  });
  const ended = once(child, 'close').catch((error: Error) => log.push(error.message));
  if (child.pid === undefined) {
    await ended;
    return { kind: 'failed', log };
  }
  const unwatch = killWithParent(child.pid, 'INT');
  child.once('exit', unwatch);

  const deadline = Date.now() + startTimeoutMs;
  while (!hasEnded(child)) {
    if (await isReady(options.dataDirectory, child.pid))
      return { kind: 'ready', server: { stop, ended: ended.then(() => log) } };
    if (Date.now() > deadline) await stop('immediate');
    await delay(pollMs);
  }
  await ended;
  return { kind: 'failed', log };

  async function stop(mode: StopMode): Promise<void> {
    if (!hasEnded(child)) child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    // An immediate stop loses nothing: the next start recovers from the log.
    const late = setTimeout(() => child.kill('SIGQUIT'), stopTimeoutMs);
    await ended;
    clearTimeout(late);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Reads the file as pg_ctl does: line 1 of postmaster.pid is the process, line 8 its state. */
async function isReady(dataDirectory: string, pid: number): Promise<boolean> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

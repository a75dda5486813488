/** Runs one foreign program for a test: started, ready by a condition, stopped; it ends with the test process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { killWithParent } from './killWithParent.ts';

export interface Service {
  readonly pid: number;
  /** The last output of the program, from both streams. */
  readonly output: () => string;
  /** `stopSignal`, then SIGKILL after 10 s. Safe to repeat. */
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called repeatedly; a rejection counts as no. */
  readonly isReady: () => Promise<boolean>;
  /** Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;
const pollMs = 50;
const keptCharacters = 8_000;

/** @throws Error with the program's last output if it ends or does not become ready. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-keptCharacters);
    });
  }
  let hasEnded = false;
  const ended = once(child, 'close')
    .catch((error: Error) => {
      output += error.message;
    })
    .finally(() => {
      hasEnded = true;
    });
  const unwatch = child.pid === undefined ? () => {} : killWithParent(child.pid, 'TERM');
  child.once('exit', unwatch);

  const stop = async () => {
    if (!hasEnded) child.kill(options.stopSignal ?? 'SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(late);
  };
  const deadline = Date.now() + startTimeoutMs;
  while (!(await options.isReady().catch(() => false))) {
    if (hasEnded || Date.now() > deadline) {
      await stop();
      throw new Error(`${options.name} did not become ready: ${output.trim() || 'it said nothing.'}`);
    }
    await delay(pollMs);
  }
  return { pid: child.pid ?? 0, output: () => output, stop };
}

/** Whether something accepts connections there. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

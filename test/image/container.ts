/** Runs commands of a laid out image as a container runtime would: as its user, in its folder, with no variables but those given. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import { killWithParent } from '../../tools/killWithParent.ts';
import type { Image } from './layOut.ts';

/** Only root may become another user. Otherwise commands run as whoever runs the tests, on files that are read-only all the same. */
export const canSwitchUser = process.getuid?.() === 0;

export interface ContainerProcess {
  /** Both streams. */
  readonly output: () => string;
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, null after a signal. */
  readonly exited: Promise<number | null>;
}

/** Killed with the test. Its home and its temporary folder do not exist: whoever needs one fails. */
export function startInImage(
  image: Image,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ContainerProcess {
  const [program = '', ...args] = command;
  const child: ChildProcess = spawn(program, args, {
    cwd: image.folder,
    env: {
      PATH: dirname(process.execPath),
      HOME: '/nonexistent',
      TMPDIR: '/nonexistent',
      ...image.env,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(canSwitchUser ? image.user : {}),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const unwatch = child.pid === undefined ? () => {} : killWithParent(child.pid, 'TERM');
  const exited = once(child, 'close')
    .then(() => child.exitCode)
    .finally(unwatch);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { output: () => output, pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), exited };
}

export async function runInImage(
  image: Image,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const started = startInImage(image, command, env);
  return { code: await started.exited, output: started.output() };
}

import { execFile } from 'node:child_process';

export interface CommandResult {
  /** null: ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stderr: a problem each. */
  readonly problems: readonly string[];
}

/** Runs `node ARGS` to its end with no variables but PATH and `env`. Killed after a minute. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const options = {
    env: { PATH: process.env['PATH'], ...env },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  } as const;
  return new Promise((resolve) => {
    const child = execFile('node', args, options, (_, stdout, stderr) => {
      const problems = stderr.split('\n').filter(Boolean);
      resolve({ code: child.exitCode, stdout, stderr, problems });
    });
  });
}

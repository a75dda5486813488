/** What every command does around its work: settings in, exit code out. Only this file touches the process itself. */
import { readFileSync } from 'node:fs';
import { type CommandLine, type CommandOption, parseCommandLine } from '../src/settings/command.ts';
import { describeSettings } from '../src/settings/describeSettings.ts';
import { readSettings } from '../src/settings/readSettings.ts';
import type { Settings } from '../src/settings/table.ts';
import { programVersion } from '../src/settings/version.ts';

// Node opens its inspector on this signal: anyone who may send it to the process could then run code in it, and read every
// secret. The image's --disable-sigusr1 takes effect earlier; this covers programs that are started another way.
process.on('SIGUSR1', () => {});

/** Handles `--help`, `--version` and wrong arguments, which end the process, and returns what was given. */
export function openCommand(command: {
  name: string;
  summary: string;
  operands?: string;
  options?: Readonly<Record<string, CommandOption>>;
  notes?: string;
  withSettings: boolean;
}): Extract<CommandLine, { kind: 'run' }> {
  const line = parseCommandLine(process.argv.slice(2), {
    name: command.name,
    summary: command.summary,
    version: programVersion,
    ...(command.operands ? { operands: command.operands } : {}),
    ...(command.options ? { options: command.options } : {}),
    ...(command.notes ? { notes: command.notes } : {}),
    ...(command.withSettings ? { notes: describeSettings() } : {}),
  });
  switch (line.kind) {
    case 'run':
      return line;
    case 'print':
      process.stdout.write(line.text);
      process.exit(line.exitCode);
      break;
    case 'wrong':
      process.stderr.write(`${line.problem}\n`);
      process.exit(line.exitCode);
  }
}

/** The settings, or the end of the process with every problem on stderr. */
export function openSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
  exitCode = 1,
): Settings {
  const result = readSettings(env, (path) => readFileSync(path, 'utf8'));
  if (result.ok) return result.settings;
  return fail(result.problems, exitCode);
}

/** Ends the process: one line per problem. */
export function fail(problems: readonly string[], exitCode = 1): never {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(exitCode);
}

/**
 * Calls `stop` at the first SIGTERM or SIGINT and exits with 0 when it is done; at a second signal, or if it takes longer
 * than `limitMs`, exits with 1 at once: everything that must survive is in the database.
 */
export function stopOnSignal(stop: () => Promise<void>, limitMs: number): void {
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    setTimeout(() => process.exit(1), limitMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail([`The stop failed: ${String(error)}`]),
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT']) {
    // Whoever has listened until now gives way (earlyStop.ts), with no moment in between in which nobody does.
    const before = process.listeners(signal as NodeJS.Signals);
    process.on(signal, onSignal);
    for (const listener of before) process.off(signal, listener);
  }
}

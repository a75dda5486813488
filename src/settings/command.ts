/**
 * The command line of every entry point: `--help`, `--version` and the few options a command has. Only
 * decides: printing and exiting are up to `cmd/`.
 */
import { parseArgs } from 'node:util';

export interface Command {
  /** As people type it: `node cmd/collector.ts`. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly version: string;
  /** What arguments without a name are called: `FILE…`. Absent: there are none. */
  readonly operands?: string;
  readonly options?: Readonly<Record<string, CommandOption>>;
  /** The end of the help text, such as `describeSettings()`. */
  readonly notes?: string;
}

export interface CommandOption {
  /** Absent: a flag. Present: the option takes a value, and the help calls it that (`SECONDS`). */
  readonly valueName?: string;
  /** One sentence. */
  readonly doc: string;
  /** Every value counts, not only the last: see `lists`. */
  readonly isRepeatable?: true;
}

export type CommandLine =
  /** Flags are `true`, options with a value hold it, options not given are absent. The last of a repeated option counts. */
  | {
      readonly kind: 'run';
      readonly values: ReadonlyMap<string, string | true>;
      /** The values of each repeatable option that was given, in order. */
      readonly lists: ReadonlyMap<string, readonly string[]>;
      /** Arguments without a name, in order. */
      readonly operands: readonly string[];
    }
  /** `--help` or `--version`: print `text` to stdout and exit with 0. */
  | { readonly kind: 'print'; readonly text: string; readonly exitCode: 0 }
  /** Print the sentence to stderr and exit with 2. */
  | { readonly kind: 'wrong'; readonly problem: string; readonly exitCode: 2 };

const builtIn: Readonly<Record<string, CommandOption>> = {
  help: { doc: 'Print this text (also -h).' },
  version: { doc: 'Print the version.' },
};

/** @param argv the arguments alone: `process.argv.slice(2)`. */
export function parseCommandLine(argv: readonly string[], command: Command): CommandLine {
  const options = { ...command.options, ...builtIn };
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [
        name,
        {
          type: option.valueName === undefined ? 'boolean' : 'string',
          ...(name === 'help' && { short: 'h' }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string | true>();
  const lists = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional' && command.operands !== undefined) {
      operands.push(token.value);
      continue;
    }
    if (token.kind === 'positional')
      return wrong(command, `does not take the argument ${quote(token.value)}`);
    if (token.kind === 'option-terminator') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) return wrong(command, `does not know the option ${quote(token.rawName)}`);
    const takesValue = option.valueName !== undefined;
    if (!takesValue && token.value !== undefined) {
      return wrong(command, `takes no value for ${token.rawName}, but got ${quote(token.value)}`);
    }
    if (takesValue && !token.value)
      return wrong(command, `needs a value: ${token.rawName} ${option.valueName}`);
    values.set(token.name, token.value ?? true);
    if (option.isRepeatable && token.value !== undefined)
      lists.set(token.name, [...(lists.get(token.name) ?? []), token.value]);
  }
  if (values.has('help')) return { kind: 'print', text: describeCommand(command), exitCode: 0 };
  if (values.has('version')) return { kind: 'print', text: `${command.version}\n`, exitCode: 0 };
  return { kind: 'run', values, lists, operands };
}

function describeCommand(command: Command): string {
  const rows = Object.entries({ ...command.options, ...builtIn }).map(
    ([name, option]) => [`--${name}${option.valueName ? ` ${option.valueName}` : ''}`, option.doc] as const,
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const lines = rows.map(([usage, doc]) => `  ${usage.padEnd(width)}  ${doc}`);
  const notes = command.notes === undefined ? '' : `\n${command.notes}`;
  return `Usage: ${command.name} [options]${command.operands ? ` ${command.operands}` : ''}\n\n${command.summary}\n\nOptions:\n${lines.join('\n')}\n${notes}`;
}

function wrong(command: Command, what: string): CommandLine {
  return { kind: 'wrong', problem: `${command.name} ${what}; see ${command.name} --help.`, exitCode: 2 };
}

function quote(value: string): string {
  return JSON.stringify(value);
}

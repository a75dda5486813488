import { expect, test } from 'vitest';
import { type Command, parseCommandLine } from './command.ts';
import { programVersion } from './version.ts';

const command: Command = {
  name: 'node cmd/collector.ts',
  summary: 'Forwards audit entries.',
  version: programVersion,
  options: {
    'dry-run': { doc: 'Change nothing.' },
    timeout: { valueName: 'SECONDS', doc: 'How long to wait.' },
  },
  notes: 'Settings: none.\n',
};

test('runs without arguments', () => {
  expect(parseCommandLine([], command)).toEqual({
    kind: 'run',
    values: new Map(),
    lists: new Map(),
    operands: [],
  });
});

test('returns flags and values', () => {
  const expected = {
    kind: 'run',
    lists: new Map(),
    operands: [],
    values: new Map<string, string | true>([
      ['dry-run', true],
      ['timeout', '30'],
    ]),
  };
  expect(parseCommandLine(['--dry-run', '--timeout', '30'], command)).toEqual(expected);
  expect(parseCommandLine(['--dry-run', '--timeout=30', '--'], command)).toEqual(expected);
});

test.each([['--help'], ['-h'], ['--dry-run', '--help']])('prints the help for %s', (...argv) => {
  expect(parseCommandLine(argv, command)).toEqual({
    kind: 'print',
    exitCode: 0,
    text: `Usage: node cmd/collector.ts [options]

Forwards audit entries.

Options:
  --dry-run          Change nothing.
  --timeout SECONDS  How long to wait.
  --help             Print this text (also -h).
  --version          Print the version.

Settings: none.
`,
  });
});

test('prints the version of the package', () => {
  expect(programVersion).toMatch(/^\d+\.\d+\.\d+/);
  expect(parseCommandLine(['--version'], command)).toEqual({
    kind: 'print',
    exitCode: 0,
    text: `${programVersion}\n`,
  });
});

test.each([
  [['--colour'], 'does not know the option "--colour"'],
  [['-x'], 'does not know the option "-x"'],
  [['--constructor'], 'does not know the option "--constructor"'],
  [['now'], 'does not take the argument "now"'],
  [['--', '--help'], 'does not take the argument "--help"'],
  [['--dry-run=yes'], 'takes no value for --dry-run, but got "yes"'],
  [['--timeout'], 'needs a value: --timeout SECONDS'],
  [['--timeout='], 'needs a value: --timeout SECONDS'],
  [['--help', '--colour'], 'does not know the option "--colour"'],
])('refuses %j in one sentence', (argv, what) => {
  expect(parseCommandLine(argv, command)).toEqual({
    kind: 'wrong',
    exitCode: 2,
    problem: `node cmd/collector.ts ${what}; see node cmd/collector.ts --help.`,
  });
});

test('keeps arguments without a name, and every value of an option that may be repeated, where a command has them', () => {
  const options = { header: { valueName: 'TEXT', doc: 'A header.', isRepeatable: true } } as const;
  expect(
    parseCommandLine(['a', '--header', 'x: 1', 'b', '--header=y: 2', '--', '--c'], {
      ...command,
      operands: 'FILE…',
      options,
    }),
  ).toMatchObject({
    kind: 'run',
    lists: new Map([['header', ['x: 1', 'y: 2']]]),
    operands: ['a', 'b', '--c'],
  });
});

/** The whole product on one machine with only Node and npm installed: `npm start`. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runDemo } from './demo/runDemo.ts';
import { fail, openCommand } from './shell.ts';

const { values } = openCommand({
  name: 'npm start --',
  summary:
    'Runs a Postgres, a sample product that writes audit entries, the collector, and a receiver that prints what it gets. Ctrl-C stops all of it.',
  options: {
    directory: {
      valueName: 'FOLDER',
      doc: 'Where data and manifests are kept. Default: .local in the checkout.',
    },
    rate: {
      valueName: 'NUMBER',
      doc: 'Entries that the sample product writes per second, up to 1000. Default: 1.5.',
    },
  },
  withSettings: false,
});
const rate = Number(values.get('rate') ?? 1.5);
if (!(rate > 0 && rate <= 1_000)) {
  fail([`--rate is "${values.get('rate')}": it must be a number above 0, up to 1000.`]);
}
const given = values.get('directory');
const directory =
  typeof given === 'string' ? resolve(given) : fileURLToPath(new URL('../.local', import.meta.url));

const stop = new AbortController();
const kill = new AbortController();
/** The terminal sends Ctrl-C to all of its processes, and npm passes it on: the same one arrives twice. */
const sameSignalMs = 1_000;
let stopAskedAt = Number.POSITIVE_INFINITY;
const onSignal = (): void => {
  if (performance.now() - stopAskedAt > sameSignalMs) {
    kill.abort();
    process.exit(1);
  }
  stopAskedAt = Math.min(stopAskedAt, performance.now());
  stop.abort();
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
// The terminal is gone, or `npm start | head` has read enough.
process.stdout.on('error', () => stop.abort());

const problem = await runDemo({
  directory,
  entriesPerSecond: rate,
  stop: stop.signal,
  kill: kill.signal,
  write: (text) => void process.stdout.write(text),
  input: process.stdin.isTTY ? process.stdin : null,
});
if (problem !== null) fail([problem]);
process.exit(0);

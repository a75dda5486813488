/** A receiver that prints each record it gets: for seeing what an export sends, before there is a real one. Keeps nothing. */
import { startReceiver } from './demo/receiver.ts';
import { fail, openCommand, stopOnSignal } from './shell.ts';

const { values } = openCommand({
  name: 'npm run receiver --',
  summary:
    'Accepts OTLP/HTTP logs at http://127.0.0.1:4318/v1/logs and prints each record on a line, until it is stopped. It keeps nothing.',
  options: {
    port: { valueName: 'PORT', doc: 'Where it listens, on this machine only. Default: 4318.' },
    authorization: {
      valueName: 'VALUE',
      doc: 'Answer 401 to requests whose Authorization header is not this, such as "Bearer secret".',
    },
  },
  withSettings: false,
});
const port = Number(values.get('port') ?? 4318);
if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
  fail([`--port is "${values.get('port')}": it must be a whole number from 0 (any free port) to 65535.`]);
}
const authorization = values.get('authorization');
try {
  const receiver = await startReceiver({
    port,
    write: (line) => void process.stdout.write(line),
    ...(typeof authorization === 'string' ? { authorization } : {}),
  });
  process.stdout.write(`The receiver listens at ${receiver.url}. Ctrl-C stops it.\n`);
  stopOnSignal(() => receiver.close(), 2_000);
} catch (error) {
  const isBusy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  fail([
    isBusy
      ? `Port ${port} is taken: stop what listens there, or choose another port with --port.`
      : `The receiver cannot listen at port ${port}: ${(error as Error).message}.`,
  ]);
}

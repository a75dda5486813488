/** The service. */
import './heap.ts';
import { startApp } from '../src/app.ts';
import { makeLogger } from '../src/telemetry/logger.ts';
import { fail, openCommand, openSettings, stopOnSignal } from './shell.ts';

openCommand({
  name: 'node cmd/collector.ts',
  summary:
    "Delivers every committed audit entry to its organization's own OTLP receiver, until it is stopped.",
  withSettings: true,
});
const settings = openSettings();
const started = await startApp(
  settings,
  makeLogger({ level: settings.logLevel, service: settings.serviceName }),
);
if (started.kind === 'failed') fail(started.problems);
// Closing after the last request takes a moment more than the requests themselves.
else stopOnSignal(() => started.app.stop(), settings.shutdownGraceMs + 4_000);

/** The service. */
import './heap.ts';
import { startApp } from '../src/app.ts';
import { findProxyVariables } from '../src/settings/proxyVariables.ts';
import { makeLogger } from '../src/telemetry/logger.ts';
import { fail, openCommand, openSettings, stopOnSignal } from './shell.ts';

openCommand({
  name: 'node cmd/collector.ts',
  summary:
    "Delivers every committed audit entry to its organization's own OTLP receiver, until it is stopped.",
  withSettings: true,
});
const settings = openSettings();
const log = makeLogger({ level: settings.logLevel, service: settings.serviceName });
const proxies = findProxyVariables(process.env);
if (proxies.length > 0) {
  log.warn(
    { variables: proxies },
    `${proxies.join(' and ')} is set and not used for deliveries: receivers are connected to directly; where only a proxy leads out, let a Collector behind it be the receiver`,
  );
}
const started = await startApp(settings, log);
if (started.kind === 'failed') fail(started.problems);
// Closing after the last request takes a moment more than the requests themselves.
else stopOnSignal(() => started.app.stop(), settings.shutdownGraceMs + 4_000);

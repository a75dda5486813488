/** Puts the service together: settings in, exit code out. */
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
    `${proxies.join(' and ')} is set but not used for deliveries, which connect to receivers directly; if only a proxy leads out, use a Collector behind it as the receiver`,
  );
}
const stop = new AbortController();
const starting = startApp(settings, log, stop.signal);
// Closing takes a moment longer than the last request.
stopOnSignal(async () => {
  stop.abort();
  const started = await starting;
  if (started.kind === 'started') await started.app.stop();
}, settings.shutdownGraceMs + 4_000);
const started = await starting;
if (started.kind === 'failed') fail(started.problems);

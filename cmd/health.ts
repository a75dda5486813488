/** Asks a running collector whether it is alive: the image's health check. Exit code 0 if it is, else 1. */
import { fail, openCommand, openSettings } from './shell.ts';

openCommand({
  name: 'node cmd/health.ts',
  summary:
    'Asks /livez on the port of OPERATIONS_ADDRESS of this machine, and exits with 0 if the collector is alive.',
  withSettings: false,
});
const { OPERATIONS_ADDRESS, OPERATIONS_ADDRESS_FILE } = process.env;
// Only the address matters here, so required settings of the collector may be missing.
const { operationsAddress } = openSettings({
  DATABASE_URL: 'postgres://unused/unused',
  PAGE_ADDRESS: 'off',
  OPERATIONS_ADDRESS,
  OPERATIONS_ADDRESS_FILE,
});
const host = ['0.0.0.0', '::'].includes(operationsAddress.host) ? '127.0.0.1' : operationsAddress.host;
const url = `http://${host.includes(':') ? `[${host}]` : host}:${operationsAddress.port}/livez`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  if (!answer.ok) fail([(await answer.text()).trim()]);
} catch (error) {
  const { message, cause } = error as Error;
  fail([`${url} does not answer: ${cause instanceof Error ? cause.message : message}.`]);
}

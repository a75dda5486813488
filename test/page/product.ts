/** The whole collector as a process, with its page, a fresh database and a receiver; all of it ends with the test. */
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCollectorProcess } from '../tools/collectorProcess.ts';
import type { TestPostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

export async function startProduct(postgres: TestPostgres) {
  const { url, db, receiver } = await setUp(postgres);
  const port = await findFreePort();
  const collector = await makeCollectorProcess(url, {
    PAGE_ADDRESS: `127.0.0.1:${port}`,
    AUTH_MODE: 'local',
  });
  collector.start();
  const origin = `http://127.0.0.1:${port}`;
  await waitFor(
    async () => (await fetch(`${collector.operations}/readyz`).catch(() => null))?.status === 200,
    { timeoutMs: 30_000, describe: collector.output },
  );
  return { db, receiver, collector, url: `${origin}/organizations/acme/audit-logs/export` };
}

/** A database that stops answering without a word: the status stops saying that all is well, and comes back. */
import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { type CollectorProcess, makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, migrateDatabase, numbered, openSession } from '../tools/database.ts';
import { pauseServer } from '../tools/pauseServer.ts';
import { startTestPostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

/** Polls come every 250 ms, and one may just have been answered. */
const soonMs = 5_000;
/** As long as a lease is valid, delivery goes on although it cannot be renewed. */
const leaseMs = 2_000;

interface Server {
  readonly url: string;
  readonly dataDirectory: string;
}

/** Each makes the database silent, and returns what ends it. */
const silences: Record<string, (server: Server) => Promise<() => Promise<void>>> = {
  'every process of the server stands still': async ({ dataDirectory }) => {
    const goOn = await pauseServer(dataDirectory);
    onTestFinished(goOn);
    return async () => goOn();
  },
  'somebody locks the table of leases': async ({ url }) => {
    const session = await openSession(url);
    await session.query('begin; lock table audit.replicas in access exclusive mode');
    return () => session.end();
  },
  'somebody locks the table of streams': async ({ url }) => {
    const session = await openSession(url);
    await session.query('begin; lock table audit.streams in access exclusive mode');
    return () => session.end();
  },
  'somebody locks the table of entries': async ({ url }) => {
    const session = await openSession(url);
    await session.query('begin; lock table audit.entries in access exclusive mode');
    return () => session.end();
  },
};

async function readLeasesHeld({ operations }: CollectorProcess): Promise<number> {
  const text = await (await fetch(`${operations}/metrics`)).text();
  return Number(/^audit_export_leases_held (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

test('a database that falls silent, in whatever way: the status says within seconds that it does not know', {
  timeout: 180_000,
}, async () => {
  const server = await startTestPostgres();
  onTestFinished(() => server.remove());
  await migrateDatabase(server.url);
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const collector = await makeCollectorProcess(server.url, {
    LOG_LEVEL: 'warn',
    LEASE_DURATION_MS: String(leaseMs),
  });
  await collector.writeConfig('acme', {
    organization: 'acme',
    endpoint: receiver.endpoint,
    startFrom: 'Beginning',
  });
  collector.start();
  const session = await openSession(server.url);
  let count = 0;
  const write = async (): Promise<void> => {
    count += 3;
    await insertEntries(session, numbered(3));
    await receiver.waitFor((r) => r.ledger.storedCount === count, 30_000);
    await collector.waitForStatus(
      'acme',
      ({ conditions, pendingEntries }) => conditions[0]?.status === 'True' && pendingEntries === 0,
      30_000,
    );
  };

  await write();
  for (const [what, silence] of Object.entries(silences)) {
    const end = await silence(server);
    const status = await collector
      .waitForStatus('acme', ({ conditions }) => conditions[0]?.status !== 'True', soonMs + leaseMs)
      .catch((error: Error) => expect.fail(`${what}: ${error.message}`));
    expect(status.conditions[0]?.reason, what).toMatch(/^Database/);
    expect(status.conditions[0]?.message, what).not.toContain('Every entry is delivered');
    // While the leases can be renewed this replica has them.
    const held = what.endsWith('entries') ? 1 : 0;
    await waitFor(async () => (await readLeasesHeld(collector)) === held, {
      timeoutMs: 2 * leaseMs,
      describe: () => what,
    });
    await end();
    await write();
    await waitFor(async () => (await readLeasesHeld(collector)) === 1);
  }
  await session.end();
});

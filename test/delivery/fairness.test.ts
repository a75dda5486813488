/** Large entries over slow links, and receivers that take their time: nobody waits for what others hold. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

/** `count` entries of about `bytes` each as text, which are small where they are stored. */
async function insertLarge(db: Database, organization: string, count: number, bytes: number): Promise<void> {
  await db.query(
    `insert into audit.entries (organization, event_type, metadata)
     select $1, 'large', jsonb_build_object('n', n, 'pad', repeat('x', $2)) from generate_series(1, $3) n`,
    [organization, bytes, count],
  );
}

/** Lets `bytesPerSecond` through from the server, on all connections together, and counts them. */
async function startSlowLink(targetPort: number, bytesPerSecond: number) {
  const link = { port: 0, bytes: 0 };
  const sockets = new Set<Socket>();
  let freeAt = performance.now();
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => other.destroy());
    }
    client.on('data', (chunk) => target.write(chunk));
    target.on('data', async (chunk) => {
      target.pause();
      freeAt = Math.max(freeAt, performance.now()) + (chunk.length / bytesPerSecond) * 1_000;
      await delay(Math.max(0, freeAt - performance.now()));
      link.bytes += chunk.length;
      client.write(chunk);
      target.resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  link.port = (server.address() as AddressInfo).port;
  return link;
}

test('large entries come through a slow link a few at a time, from the first second on', {
  timeout: 90_000,
}, async () => {
  const { url, db, receiver } = await setUp(postgres);
  await insertLarge(db, 'acme', 120, 500_000);
  const link = await startSlowLink(Number(new URL(url).port), 5_000_000);
  const slowUrl = new URL(url);
  slowUrl.port = String(link.port);
  const slowDb = openDatabase(slowUrl.href);
  onTestFinished(() => slowDb.end());
  const engine = await startEngine(slowDb);
  engine.setConfigs(makeConfig(receiver.endpoint, { destination: { compression: 'none' } }));
  await receiver.waitFor((r) => r.ledger.storedCount > 0);
  // The first ones have arrived before half of all were read.
  expect(link.bytes).toBeLessThan(30_000_000);
  await engine.waitForHealth((h) => h.delivered === 120 && h.activity === 'idle', undefined, 60_000);
  expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  expect(link.bytes).toBeLessThan(1.6 * 60_000_000);
});

test('receivers that hold their answers back hold up no other organization', {
  timeout: 60_000,
}, async () => {
  const { db, receiver } = await setUp(postgres);
  let answer = (): void => {};
  const mayAnswer = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const slow = Array.from({ length: 20 }, (_, i) => `slow-${i}`);
  for (const organization of slow) await insertLarge(db, organization, 12, 900_000);
  const sent = new Set<string>();
  const engine = await startEngine(db, {
    send: async (destination, _body, signal) => {
      const organization = destination.url.pathname.slice(1);
      sent.add(organization);
      if (organization.startsWith('slow'))
        await Promise.race([mayAnswer, once(signal, 'abort').catch(() => {})]);
      return { kind: 'settled', rejected: 0, message: '' };
    },
  });
  const configOf = (organization: string) =>
    makeConfig(receiver.endpoint, {
      key: `test/${organization}`,
      organization,
      destination: { url: new URL(`http://127.0.0.1/${organization}`) },
    });
  engine.setConfigs(...slow.map(configOf));
  await engine.waitForHealth(() => sent.size === slow.length, 'test/slow-0', 30_000);
  await insertEntries(db, numbered(2_000, { organization: 'good' }));
  engine.setConfigs(...slow.map(configOf), configOf('good'));
  await engine.waitForHealth((h) => h.delivered === 2_000, 'test/good', 30_000);
  answer();
  for (const organization of slow) {
    await engine.waitForHealth((h) => h.delivered === 12, `test/${organization}`, 30_000);
  }
});

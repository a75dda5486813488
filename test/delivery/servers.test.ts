/** Two servers behind one balancer, one of them sick: everything is delivered soon, and no entry is blamed for it. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { insertEntries, migrateDatabase, numbered, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type Answering, ok, type Receiver, startReceiver } from '../tools/receiver.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

/** Connections go to the receivers in turn. */
async function balance(receivers: readonly Receiver[]): Promise<string> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    const receiver = receivers[connections % receivers.length];
    connections += 1;
    const target = connect(Number(new URL(receiver?.endpoint ?? '').port), '127.0.0.1');
    for (const socket of [client, target]) sockets.add(socket.on('error', () => {}));
    client.pipe(target).pipe(client);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
    client.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1/logs`;
}

async function setUpBalanced(answer: Answering) {
  const { db, receiver } = await setUp(postgres);
  const sick = await startReceiver();
  onTestFinished(() => sick.stop());
  sick.answerWith(answer);
  receiver.answerWith(ok);
  return { db, receiver, sick, endpoint: await balance([sick, receiver]) };
}

test('one that answers 503 holds nothing up, with waits of half a second and more', async () => {
  const { db, endpoint } = await setUpBalanced(() => ({ status: 503 }));
  await insertEntries(db, numbered(20));
  const engine = await startEngine(db, { retry: { initialMs: 500, maxMs: 30_000 } });
  const startedAt = performance.now();
  engine.setConfigs(makeConfig(endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 20, parked: 0 });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test('one that refuses at random parks nothing', async () => {
  let state = 7;
  const isUnlucky = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % 1_000 < 500;
  };
  const { db, receiver, sick, endpoint } = await setUpBalanced(() => (isUnlucky() ? { status: 400 } : ok));
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(endpoint, { maxBatchSize: 3 }));
  for (let time = 0; time < 8; time += 1) {
    await insertEntries(db, numbered(25));
    const health = await engine.waitForHealth((h) => h.delivered + h.parked >= 25 * (time + 1));
    expect(health).toMatchObject({ parked: 0 });
  }
  const stored = new Set([...receiver.ledger.storedUids(), ...sick.ledger.storedUids()]);
  expect([...stored].sort()).toEqual(await uidsOf(db));
});

test('an entry that every server refuses is parked after refusals over several connections', async () => {
  const refuse: Answering = (request) =>
    request.records.some((record) => record.eventName === 'poison') ? { status: 400 } : ok;
  const { db, receiver, sick, endpoint } = await setUpBalanced(refuse);
  const refusedBy = new Set<string>();
  for (const [name, each] of Object.entries({ receiver, sick })) {
    each.answerWith((request) => {
      const isPoison = request.records.some((record) => record.eventName === 'poison');
      if (isPoison && request.recordCount === 1) refusedBy.add(name);
      return isPoison ? { status: 400 } : ok;
    });
  }
  await insertEntries(db, [...numbered(5), { eventType: 'poison' }, ...numbered(5)]);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(endpoint));
  const health = await engine.waitForIdle();
  expect(health).toMatchObject({ delivered: 10, parked: 1 });
  expect(refusedBy).toEqual(new Set(['receiver', 'sick']));
});

/** The pair and the poolers do what tests of the delivery rely on. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { arePackagesMissing } from './debianPackages.ts';
import { type Pooler, poolerPackages, startPgbouncer, startPgpool } from './poolers.ts';
import { type PostgresPair, startPair } from './standby.ts';

let pair: PostgresPair;
beforeAll(async () => {
  pair = await startPair();
  await query(pair.primaryUrl, 'create table t (n integer)');
});
afterAll(() => pair?.remove());

async function query(url: string, text: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}
const through = (pooler: Pooler): string =>
  `postgres://postgres:${pair.password}@127.0.0.1:${pooler.port}/postgres`;

describe.skipIf(arePackagesMissing('poolers in front of a pair', poolerPackages))('with poolers', () => {
  test('pgpool reads from both servers, pgbouncer from the one behind it', async () => {
    const pgpool = await startPgpool({ password: pair.password, serverPorts: pair.ports });
    const pgbouncer = await startPgbouncer({ password: pair.password, serverPort: pair.ports[0] });
    const answers = async (pooler: Pooler): Promise<unknown[]> => {
      const seen = new Set<unknown>();
      for (let i = 0; i < 30; i++)
        seen.add((await query(through(pooler), 'select inet_server_port()'))[0]?.[0]);
      return [...seen].sort();
    };
    await waitFor(async () => (await answers(pgpool)).length === 2);
    expect(await answers(pgbouncer)).toEqual([pair.ports[0]]);
    await Promise.all([pgpool.stop(), pgbouncer.stop()]);
  });
});

test('a paused standby shows nothing new; a failover after a cut loses what came after it, and the pair is made again', async () => {
  await pair.pauseReplay();
  await query(pair.primaryUrl, 'insert into t values (1)');
  expect(await query(pair.standbyUrl, 'select n from t')).toEqual([]);
  await pair.resumeReplay();
  await pair.catchUp();
  expect(await query(pair.standbyUrl, 'select n from t')).toEqual([[1]]);
  await pair.cutReplication();
  await query(pair.primaryUrl, 'insert into t values (2)');
  await pair.failOver();
  expect(await query(pair.primaryUrl, 'select n from t')).toEqual([[1]]);
  await query(pair.primaryUrl, 'insert into t values (3)');
  await pair.rebuildStandby();
  await query(pair.primaryUrl, 'insert into t values (4)');
  await pair.catchUp();
  expect(await query(pair.standbyUrl, 'select n from t')).toEqual([[1], [3], [4]]);
});

/** How much waits, and since when: unknown is never taken for none, and what is unknown of one stream hides no other. */
import { expect, onTestFinished, test } from 'vitest';
import { countBacklog } from '../../src/database/backlog.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { setUp } from '../tools/setUp.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const never = { status: 503 };

test('a backlog that cannot be counted is unknown, its age goes on growing, and the others are counted', async () => {
  const { url, db, receiver } = await setUp(postgres);
  receiver.answerWith(never);
  await insertEntries(db, [...numbered(3), ...numbered(4, { organization: 'globex' })]);
  let broken: string | undefined;
  let refusals = 0;
  // Nothing that Postgres does makes it fail for one stream alone and leaves the rest as it is. A pool of its own: connections
  // that exist already would let a count through.
  const faulty = openDatabase(url);
  onTestFinished(() => faulty.end());
  faulty.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((text: unknown, values?: unknown[], ...rest: unknown[]) => {
      const isRefused = broken !== undefined && values?.[0] === broken && String(text).includes('as pending');
      if (!isRefused) return query(text, values, ...rest);
      refusals += 1;
      return Promise.reject(Object.assign(new Error('missing chunk'), { code: 'XX001' }));
    }) as typeof client.query;
  });
  const engine = await startEngine(faulty);
  engine.setConfigs(
    makeConfig(receiver.endpoint),
    makeConfig(receiver.endpoint, { key: 'test/globex', organization: 'globex' }),
  );
  await engine.waitForHealth((h) => h.pending === 3);
  const { rows } = await db.query<{ id: string }>(
    `select id::text from audit.streams where organization = 'acme'`,
  );
  broken = rows[0]?.id;
  // A count that was under way may still end well: what is said afterwards is what counts.
  await waitFor(() => refusals > 0);
  await engine.waitForHealth((h) => h.pending === null && h.oldestPendingAt !== null);
  await insertEntries(db, numbered(2, { organization: 'globex' }));
  await engine.waitForHealth((h) => h.pending === 6, 'test/globex');
  const text = await waitFor(async () => {
    const metrics = await engine.metrics.render();
    return /oldest_pending_age_seconds\{[^}]*name="acme"[^}]*\} (?!0$)/m.test(metrics) && metrics;
  });
  expect(text).not.toMatch(/audit_export_pending_entries\{[^}]*name="acme"/);
  expect(text).toMatch(/audit_export_pending_entries\{[^}]*name="globex"[^}]*\} 6/);
  broken = undefined;
  await engine.waitForHealth((h) => h.pending === 3);
});

test('a count of a stream that another replica has is no count', async () => {
  const { db, receiver } = await setUp(postgres);
  const engine = await startEngine(db);
  engine.setConfigs(makeConfig(receiver.endpoint));
  await engine.waitForIdle();
  const { rows } = await db.query<{ id: string; token: string }>(
    'select id::text, token::text from audit.streams',
  );
  const stream = rows[0] ?? { id: '', token: '' };
  expect(await countBacklog(db, stream)).toMatchObject({ pending: 0, oldestOccurredAt: null });
  expect(await countBacklog(db, { ...stream, token: '0' })).toBeNull();
});

test('a count that a replay overtakes is made again, and no number of parked entries is negative', async () => {
  const { url, db, receiver } = await setUp(postgres);
  receiver.answerWith(({ records }) => ({
    status: records.some((r) => r.eventName === 'poison') ? 400 : 200,
  }));
  await insertEntries(db, [...numbered(3), { eventType: 'poison' }, ...numbered(3)]);
  const before = await startEngine(db);
  before.setConfigs(makeConfig(receiver.endpoint));
  await before.waitForHealth((h) => h.activity === 'idle' && h.parked === 1);
  await before.stop();
  receiver.answerWith({ status: 200 });
  await db.query(`select audit.replay_parked('acme')`);

  const slow = openDatabase(url);
  onTestFinished(() => slow.end());
  let counts = 0;
  const { promise: replayed, resolve: goOn } = Promise.withResolvers<void>();
  slow.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = (async (text: unknown, ...rest: unknown[]) => {
      const result = await query(text, ...rest);
      if (!String(text).includes('as pending')) return result;
      counts++;
      await replayed;
      return result;
    }) as typeof client.query;
  });
  receiver.answerWith(async () => {
    await waitFor(() => counts > 0);
    return { status: 200 };
  });
  const engine = await startEngine(slow);
  onTestFinished(() => goOn());
  engine.setConfigs(makeConfig(receiver.endpoint));
  expect(await engine.waitForHealth((h) => h.delivered === 7)).toMatchObject({ parked: 0 });
  expect((await engine.waitForIdle()).parked).toBe(0);
  goOn();
  await waitFor(() => counts > 1);
  await engine.waitForHealth((h) => h.parked === 0);
});

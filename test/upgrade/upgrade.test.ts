/** From the program before this one to this one and back, with a running stream and a product that goes on writing. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../src/database/pool.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type CollectorProcess, makeCollectorProcess } from '../tools/collectorProcess.ts';
import { insertEntries, numbered, openSession, uidsOf } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { ok, type ReceiverAnswer } from '../tools/receiver.ts';
import { makeRole } from '../tools/roles.ts';
import { setUp } from '../tools/setUp.ts';
import { isPreviousMissing, layOutPrevious, type PreviousProgram } from './previousProgram.ts';
import { runToEnd } from './runToEnd.ts';

const here = process.cwd();

describe.skipIf(isPreviousMissing())('an upgrade', () => {
  const postgres = usePostgres();
  let previous: PreviousProgram;
  beforeAll(async () => {
    previous = await layOutPrevious();
  });
  afterAll(() => previous?.remove());

  /** A database as the previous program makes it, and its collector, with a role of its own and one export. */
  async function startPrevious() {
    const parts = await setUp(postgres);
    await migrateBy(previous.folder, parts.url);
    const { role, url: collectorUrl } = await makeRole(parts.db, parts.url);
    await parts.db.query('select audit.grant_collector($1)', [role]);
    const settings = { LEASE_DURATION_MS: '2000' };
    const before = await makeCollectorProcess(
      collectorUrl,
      { ...settings, REPLICA_NAME: 'before' },
      previous.folder,
    );
    await before.writeConfig('acme', {
      organization: 'acme',
      endpoint: parts.receiver.endpoint,
      startFrom: 'Beginning',
      maxBatchSize: 10,
    });
    const after = await makeCollectorProcess(collectorUrl, {
      ...settings,
      REPLICA_NAME: 'after',
      CONFIG_DIRECTORY: before.directory,
    });
    return { ...parts, before, after };
  }

  test('replica by replica loses nothing and breaks no sequence, while a product goes on writing', async () => {
    const { url, db, receiver, before, after } = await startPrevious();
    const product = startProduct(url);
    before.start();
    await waitFor(() => receiver.ledger.storedCount >= 100, { describe: before.output });

    // In the middle of a window: the receiver has taken a part, and does not answer for the rest until the schema is new.
    let answer: (value: ReceiverAnswer) => void = () => {};
    const answered = new Promise<ReceiverAnswer>((resolve) => {
      answer = resolve;
    });
    await insertEntries(db, numbered(200));
    let taken = 0;
    receiver.answerWith(() => (++taken <= 5 ? ok : answered));
    await waitFor(() => taken > 5, { describe: before.output });
    expect(await windowOf(db)).not.toBeNull();
    const written = product.count();
    await migrateBy(here, url);
    expect(product.count()).toBeGreaterThan(written);
    answer(ok);

    // The program of before works on the schema of now.
    const stored = receiver.ledger.storedCount;
    await waitFor(() => receiver.ledger.storedCount > stored + 50, { describe: before.output });
    expect(await isReady(before), before.output()).toBe(true);

    // Both at once, then the new one alone.
    after.start();
    await waitFor(async () => (await replicasOf(db)) === 2, { describe: after.output });
    expect(await before.kill('SIGTERM')).toBe(0);
    await waitFor(async () => (await holderOf(db)) === 'after', { describe: after.output });
    expect(await isReady(after), after.output()).toBe(true);
    await insertEntries(db, numbered(100));
    await product.stop();
    await waitFor(async () => receiver.ledger.storedCount === (await uidsOf(db)).length, {
      describe: after.output,
    });
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.ledger.differences).toEqual([]);

    // And back: no migration said that the program of before cannot live with it.
    expect(await after.kill('SIGTERM')).toBe(0);
    await insertEntries(db, numbered(30));
    before.start();
    await waitFor(async () => receiver.ledger.storedCount === (await uidsOf(db)).length, {
      describe: before.output,
    });
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.ledger.differences).toEqual([]);
    expect(await before.kill('SIGTERM')).toBe(0);
    const streams = await db.query<{ sequence: number }>('select sequence::int from audit.streams');
    expect(streams.rows).toEqual([{ sequence: receiver.ledger.storedCount }]);
    // Each migration waits for a moment in which the product has no transaction open: a matter of luck, 5 to 40 seconds.
  }, 180_000);

  test('after a crash sends the very same records that the program of before has sent', async () => {
    const { url, db, receiver, before, after } = await startPrevious();
    // Taken and kept, but the answer never comes: whoever sends them again must send the same.
    receiver.answerWith(({ number }) => (number <= 2 ? ok : { hang: true, stored: true }));
    await insertEntries(db, numbered(60, { metadata: '{"a": 1.50, "b": 12345678901234567890}' }));
    before.start();
    await waitFor(() => receiver.requestCount >= 5, { describe: before.output });
    await before.kill('SIGKILL');
    receiver.answerWith(ok);
    await insertEntries(db, numbered(40));
    await migrateBy(here, url);
    after.start();
    await waitFor(async () => (await streamOf(db)).delivered === 100, { describe: after.output });
    const repeats = receiver.records.length - 100;
    expect(repeats).toBeGreaterThanOrEqual(30);
    expect(receiver.ledger.differences).toEqual([]);
    expect(receiver.ledger.missingSequences()).toEqual([]);
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
    expect(await after.kill('SIGTERM')).toBe(0);
  }, 60_000);

  test('of a program without its migrations says which are missing, and changes nothing', async () => {
    const { db, after } = await startPrevious();
    after.start();
    await waitFor(() => after.output().includes('The database lacks migration 0002_page.sql'), {
      describe: after.output,
    });
    expect(await replicasOf(db)).toBe(0);
  });
});

async function migrateBy(program: string, url: string): Promise<void> {
  const { code, output } = await runToEnd('node', ['cmd/migrate.ts'], {
    cwd: program,
    env: { DATABASE_URL: url },
  });
  expect([code, output]).toEqual([0, expect.stringContaining('Applied ')]);
}

/** Writes in transactions of its own until it is stopped; every fourth stays open while later ones commit, some are rolled back. */
function startProduct(url: string): { count(): number; stop(): Promise<void> } {
  const stopped = new AbortController();
  let count = 0;
  async function write(): Promise<void> {
    const [session, slow] = [await openSession(url), await openSession(url)];
    for (let round = 0; round < 5_000 && !stopped.signal.aborted; round++) {
      if (round % 4 === 0) {
        await slow.query('begin');
        await insertEntries(slow, numbered(2));
      }
      await session.query('begin');
      await insertEntries(session, numbered(3));
      await session.query(round % 7 === 0 ? 'rollback' : 'commit');
      if (round % 4 === 3) await slow.query('commit');
      count++;
      await delay(10);
    }
    await slow.query('commit');
    await Promise.all([session.end(), slow.end()]);
  }
  const done = write();
  const stop = (): Promise<void> => {
    stopped.abort();
    return done;
  };
  onTestFinished(stop);
  return { count: () => count, stop };
}

async function isReady(collector: CollectorProcess): Promise<boolean> {
  return (await fetch(`${collector.operations}/readyz`)).ok;
}

async function windowOf(db: Database): Promise<string | null> {
  const { rows } = await db.query<{ pinned: string | null }>(
    'select window_snapshot::text as pinned from audit.streams',
  );
  return rows[0]?.pinned ?? null;
}

async function replicasOf(db: Database): Promise<number> {
  const { rows } = await db.query<{ count: number }>('select count(*)::int from audit.replicas');
  return rows[0]?.count ?? 0;
}

async function holderOf(db: Database): Promise<string | undefined> {
  const { rows } = await db.query<{ name: string }>(
    'select r.name from audit.streams s join audit.replicas r on r.id = s.holder',
  );
  return rows[0]?.name;
}

async function streamOf(db: Database): Promise<{ delivered: number }> {
  const { rows } = await db.query<{ delivered: number }>('select delivered::int from audit.streams');
  return rows[0] ?? { delivered: 0 };
}

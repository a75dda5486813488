/** One organization's slow reads leave connections for the others. */
import { expect, onTestFinished, test } from 'vitest';
import type { Reader } from '../../src/database/boundedRead.ts';
import { sharedRead } from '../../src/database/shares.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp() {
  const db = openDatabase(await postgres.createDatabase(), 4);
  onTestFinished(() => db.end());
  return db;
}

test('who asks for much waits for itself, and others for nobody', async () => {
  const db = await setUp();
  const done: string[] = [];
  const gates: Array<() => void> = [];
  const slow = (name: string) => async (reader: Reader) => {
    await reader.query('select 1');
    await new Promise<void>((resolve) => gates.push(resolve));
    done.push(name);
  };
  const greedy = Array.from({ length: 6 }, (_, n) => sharedRead(db, 'greedy', 5_000, slow(`greedy ${n}`)));
  await expect.poll(() => gates.length).toBe(2);
  await sharedRead(db, 'other', 5_000, async (reader) => {
    await reader.query('select 1');
    done.push('other');
  });
  expect(done).toEqual(['other']);
  expect(gates.length, 'greedy is still at two').toBe(2);
  // Of the four connections one is nobody's.
  await db.query('select 1');
  for (let opened = 0; opened < 6; opened++) {
    await expect.poll(() => gates.length).toBeGreaterThan(opened);
    gates[opened]?.();
  }
  await Promise.all(greedy);
  expect(done.length).toBe(7);
});

test('who leaves while waiting takes no turn, and a failure gives its turn back', async () => {
  const db = await setUp();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const holding = [1, 2].map(() => sharedRead(db, 'acme', 5_000, () => held));
  const gone = new AbortController();
  const waiting = sharedRead(db, 'acme', 5_000, async () => 'never', gone.signal);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  release();
  await Promise.all(holding);
  for (let n = 0; n < 5; n++) {
    await expect(sharedRead(db, 'acme', 5_000, (reader) => reader.query('select 1 / 0'))).rejects.toThrow(
      'division by zero',
    );
  }
  expect(await sharedRead(db, 'acme', 5_000, async () => 'served')).toBe('served');
});

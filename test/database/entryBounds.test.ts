/** What an entry may hold is bounded when it is written, by its text as well; entries of before the bounds stop nothing. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { migrateDatabase, openDatabase, uidsOf } from '../tools/database.ts';
import { makeConfig, startEngine } from '../tools/engine.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startReceiver } from '../tools/receiver.ts';

const list = (value: string, count: number): string => `[${Array(count).fill(value).join(',')}]`;

describe.each(['embedded' as const, 14 as const])('on Postgres: %s', (which) => {
  const postgres = usePostgres({ which, prepare: migrateDatabase });

  async function setUp() {
    const db = openDatabase(await postgres.createDatabase(), 2);
    onTestFinished(() => db.end());
    const insert = async (entry: Readonly<Record<string, string>>) => {
      const all = { organization: 'acme', event_type: 'x', metadata: '{}', ...entry };
      const names = Object.keys(all);
      await db.query(
        `insert into audit.entries (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
        Object.values(all),
      );
    };
    return { db, insert };
  }

  test.each([
    ['numbers with large exponents', list('1e131071', 800)],
    ['so many that no text of it could be made', list('1e131071', 8_300)],
    ['so many decimals', list('0e-16383', 20_000)],
    ['a number of a thousand digits time and again', list('1e1200', 14_500)],
    ['too many nulls', list('null', 3_000_000)],
    ['control characters, six times as long as text', JSON.stringify('\u0001'.repeat(3_000_000))],
    ['a long text', JSON.stringify('x'.repeat(16_777_215))],
    ['a number in a key deep inside', `{"a": [{"b": ${list('1e131071', 130)}}]}`],
  ])('refuses metadata with %s in one sentence', async (_, metadata) => {
    const { db, insert } = await setUp();
    const refused = {
      code: '23514',
      message: expect.stringMatching(/^audit\.entries takes metadata of at most 16 MiB/),
    };
    await expect(insert({ metadata })).rejects.toMatchObject(refused);
    // The same from a table, where it lies compressed.
    await db.query('create table public.stored (metadata jsonb)');
    await db.query('insert into public.stored values ($1)', [metadata]);
    await expect(
      db.query(
        `insert into audit.entries (organization, event_type, metadata) select 'acme', 'x', metadata from public.stored`,
      ),
    ).rejects.toMatchObject(refused);
    expect((await db.query('select from audit.entries')).rowCount).toBe(0);
  });

  test('takes what is just within the bounds', async () => {
    const { db, insert } = await setUp();
    const metadata = [
      list('1e131071', 112),
      list('1e131071', 127),
      list('0e-16383', 1_000),
      JSON.stringify('x'.repeat(16_777_200)),
      list('12345.678', 20_000),
      '1e131071',
      '{}',
    ];
    for (const text of metadata) await insert({ metadata: text });
    await insert({
      ...{ actor_id: 'é'.repeat(1024), actor_name: '😀'.repeat(1024), project: 'x'.repeat(1024) },
      session_type: 'x'.repeat(256),
    });
    const { rows } = await db.query(`select max(octet_length(metadata::text)) as most from audit.entries`);
    expect(rows).toEqual([{ most: 16_777_202 }]);
    expect((await db.query('select from audit.entries')).rowCount).toBe(metadata.length + 1);
  });

  test.each([
    ['organization', 257],
    ['event_type', 257],
    ['session_type', 257],
    ['actor_id', 1025],
    ['actor_name', 1025],
    ['project', 1025],
    ['actor_name', 50_000_000],
  ])('refuses %s of %d characters by name', async (column, length) => {
    const { insert } = await setUp();
    await expect(insert({ [column]: 'é'.repeat(length) })).rejects.toMatchObject({
      code: '23514',
      message: `audit.entries takes a ${column} of at most ${length === 257 ? 256 : 1024} characters, and this one has ${length}: shorten it.`,
    });
  });

  test('refuses empty names and times that OTLP has no number for', async () => {
    const { insert } = await setUp();
    for (const column of ['organization', 'event_type', 'session_type'])
      await expect(insert({ [column]: '' })).rejects.toThrow(`takes no empty ${column}`);
    for (const occurredAt of ['1969-12-31 23:59:59+00', '2200-01-01 00:00:00+00', 'infinity', '-infinity'])
      await expect(insert({ occurred_at: occurredAt })).rejects.toThrow('occurred_at from 1970 to 2199');
  });

  test('entries of before the bounds stop neither the migration nor a stream', async () => {
    const { db, insert } = await setUp();
    const own = await readMigrations();
    await db.query('drop schema audit cascade');
    await migrate(db, own.slice(0, 4));
    await insert({
      metadata: list('1e131071', 150),
      actor_name: 'x'.repeat(5_000),
      project: 'y'.repeat(3_000),
    });
    await db.query('create view public.audit_view as select organization, metadata from audit.entries');
    const file = async () =>
      (await db.query(`select pg_relation_filenode('audit.entries'::regclass) as file`)).rows[0].file;
    const before = await file();
    await migrate(db, own);
    expect(await file()).toBe(before);
    await insert({});
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const engine = await startEngine(db);
    engine.setConfigs(makeConfig(receiver.endpoint));
    await engine.waitForHealth((health) => health.delivered === 2);
    expect(receiver.ledger.storedUids().sort()).toEqual(await uidsOf(db));
  });
});

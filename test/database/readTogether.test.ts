/** The windows of many streams by one COPY: each gets what it would get alone. */
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { BinaryRow } from '../../src/database/binaryRow.ts';
import { copyOut } from '../../src/database/copyOut.ts';
import type { Database } from '../../src/database/pool.ts';
import { type OnEntry, type PageResult, readFirstPages, readPage } from '../../src/database/readWindow.ts';
import { pinWindow } from '../../src/database/window.ts';
import type { EntryFilter } from '../../src/model/exportConfig.ts';
import type { StreamRow, Window } from '../../src/model/stream.ts';
import { damage } from '../tools/damage.ts';
import { insertEntries, migrateDatabase, numbered, openDatabase, openSession } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const everything: EntryFilter = { eventTypes: [], excludeEventTypes: [], projects: [] };

async function setUp(): Promise<Database> {
  const db = openDatabase(await postgres.createDatabase(), 4);
  onTestFinished(() => db.end());
  return db;
}

interface Leased {
  readonly id: string;
  readonly token: string;
}

/** A stream of the organization, from the beginning on, or from now on. */
async function makeStream(
  db: Database,
  organization: string,
  start: 'beginning' | 'now' = 'beginning',
): Promise<Leased> {
  const { rows } = await db.query<Leased>(
    `insert into audit.streams (config_key, organization, cluster, settled, token)
     values ($1, $1, audit.cluster_id(), ${start === 'now' ? 'pg_current_snapshot()' : `'3:3:'`}, 7) returning id, token::text`,
    [organization],
  );
  return rows[0] as Leased;
}

async function pin(db: Database, organization: string, filter = everything) {
  return pinStream(db, await makeStream(db, organization), filter);
}

async function pinStream(db: Database, stream: Leased, filter = everything) {
  const pinned = await pinWindow(db, stream, filter);
  if (pinned.kind !== 'pinned' || !pinned.stream.window) throw new Error(pinned.kind);
  return { ...pinned.stream, window: pinned.stream.window };
}

/** What came of each, and the entries that each was given. */
async function read(
  db: Database,
  streams: ReadonlyArray<StreamRow & { window: Window }>,
  { rows = 10, most = Number.POSITIVE_INFINITY, rowBytes = 1_000_000 } = {},
) {
  const given = streams.map((): string[] => []);
  const onEntry =
    (n: number): OnEntry =>
    (entry, matches) => {
      if ((given[n]?.length ?? 0) >= most) return 'stop';
      given[n]?.push(matches ? Buffer.from(entry.metadata).toString() : 'left out');
      return 'taken';
    };
  const pages = await readFirstPages(
    db,
    streams.map((stream, n) => ({ stream, onEntry: onEntry(n) })),
    { rows, rowBytes },
  );
  return { pages, given };
}

const endOf = (page: PageResult | null | undefined) => page && `${page.taken} ${page.end.kind}`;
const ends = (pages: ReadonlyArray<PageResult | null>) => pages.map(endOf);

test('each gets its own entries, in order, and the end of its own window', async () => {
  const db = await setUp();
  for (const [organization, count] of [
    ['a', 3],
    ['b', 12],
    ['c', 1],
    ['d', 2],
  ] as const) {
    await insertEntries(
      db,
      Array.from({ length: count }, (_, n) => ({
        organization,
        eventType: n === 0 ? 'first' : 'next',
        metadata: `"${organization} ${n}"`,
      })),
    );
  }
  const streams = [
    await pin(db, 'a'),
    await pin(db, 'b'),
    await pin(db, 'c'),
    await pin(db, 'd', { ...everything, excludeEventTypes: ['first'] }),
  ];
  // Committed after the windows.
  await insertEntries(db, [{ organization: 'a' }, { organization: 'd' }]);
  const { pages, given } = await read(db, streams);
  expect(ends(pages)).toEqual(['3 exhausted', '10 more', '1 exhausted', '2 exhausted']);
  expect(given).toEqual([
    ['"a 0"', '"a 1"', '"a 2"'],
    Array.from({ length: 10 }, (_, n) => `"b ${n}"`),
    ['"c 0"'],
    ['left out', '"d 1"'],
  ]);
  // Those that want no more are passed over, whether others follow or not.
  const few = await read(db, streams, { most: 1 });
  expect(ends(few.pages)).toEqual(['1 more', '1 more', '1 exhausted', '1 more']);
  expect(few.given.map((entries) => entries.length)).toEqual([1, 1, 1, 1]);
});

test('one whose lease is lost gets nothing, the first and the last alike', async () => {
  const db = await setUp();
  await insertEntries(
    db,
    ['a', 'b', 'c'].map((organization) => ({ organization, metadata: `"${organization}"` })),
  );
  const streams = [await pin(db, 'a'), await pin(db, 'b'), await pin(db, 'c')];
  await db.query(`update audit.streams set token = 8 where organization in ('a', 'c')`);
  const { pages, given } = await read(db, streams);
  expect(ends(pages)).toEqual(['0 stale', '1 exhausted', '0 stale']);
  expect(given).toEqual([[], ['"b"'], []]);
});

test('an entry that cannot be read so is the trouble of its own stream: others are read, or asked alone', async () => {
  const db = await setUp();
  const large = JSON.stringify(Array.from({ length: 5_000 }, () => randomUUID()));
  const ids = await insertEntries(db, [
    { organization: 'a', metadata: '"a"' },
    { organization: 'b', metadata: '"before"' },
    { organization: 'b', metadata: large },
    { organization: 'c', metadata: '"c"' },
    { organization: 'd', metadata: large },
  ]);
  const [a, b, c, d] = [await pin(db, 'a'), await pin(db, 'b'), await pin(db, 'c'), await pin(db, 'd')];
  const oversize = await read(db, [a, b, c], { rowBytes: 50_000 });
  expect(ends(oversize.pages)).toEqual(['1 exhausted', '1 oversize', null]);
  for (const n of [2, 4]) await damage(db, ids[n] ?? '');
  const broken = await read(db, [a, b, c]);
  expect(ends(broken.pages)).toEqual(['1 exhausted', '1 broken', null]);
  expect(broken.given).toEqual([['"a"'], ['"before"'], []]);
  // With nothing before it there is no telling whose trouble it is.
  expect(ends((await read(db, [d, c])).pages)).toEqual([null, null]);
});

test('what was late to commit comes first, and a filter is that of its own stream', async () => {
  const db = await setUp();
  const late = await openSession(db.options.connectionString ?? '');
  onTestFinished(() => late.end());
  await late.query('begin');
  await insertEntries(late, [{ organization: 'a', metadata: '"late"' }]);
  const streams = [await makeStream(db, 'a', 'now'), await makeStream(db, 'b', 'now')];
  await insertEntries(db, [
    { organization: 'a', metadata: '"a"', project: 'one' },
    { organization: 'b', metadata: '"b 0"', eventType: 'first' },
    { organization: 'b', metadata: '"b 1"', project: 'one' },
  ]);
  await late.query('commit');
  const filters = [
    { ...everything, excludeEventTypes: ['first'] },
    { ...everything, projects: ['one'] },
  ];
  const pinned = [];
  for (const [n, stream] of streams.entries()) pinned.push(await pinStream(db, stream, filters[n]));
  const { pages, given } = await read(db, pinned);
  expect(ends(pages)).toEqual(['2 exhausted', '2 exhausted']);
  expect(given).toEqual([
    ['"late"', '"a"'],
    ['left out', '"b 1"'],
  ]);
  // As each would be read alone.
  for (const [n, stream] of pinned.entries()) {
    const alone: string[] = [];
    await readPage(db, stream, null, { rows: 10 }, (entry, matches) => {
      alone.push(matches ? Buffer.from(entry.metadata).toString() : 'left out');
      return 'taken';
    });
    expect(alone).toEqual(given[n]);
  }
});

test('rows in another order go to nobody', async () => {
  const db = await setUp();
  await insertEntries(db, numbered(1));
  const stream = await pin(db, 'acme');
  const connect = db.connect.bind(db);
  // The first entry after the second proof.
  db.connect = (async () => {
    const client = await connect();
    const query = client.query.bind(client);
    client.query = ((copy: { handleCopyData?: (message: { chunk: Buffer }) => void }) => {
      const pass = copy.handleCopyData?.bind(copy);
      const held: Buffer[] = [];
      if (pass) {
        copy.handleCopyData = ({ chunk }) => {
          held.push(Buffer.from(chunk));
          if (held.length === 3) for (const n of [0, 2, 1]) pass({ chunk: held[n] as Buffer });
        };
      }
      return query(copy as never);
    }) as never;
    return client;
  }) as never;
  await expect(read(db, [stream, stream])).rejects.toThrow('another order');
});

test('Postgres compiles nothing for it, whatever it is set to', async () => {
  const db = await setUp();
  await db.query(`do $$ begin execute format('alter database %I set jit = on', current_database()); end $$`);
  // The setting is that of a new connection.
  const later = openDatabase(db.options.connectionString ?? '', 1);
  onTestFinished(() => later.end());
  const settings: string[] = [];
  const onRow = (row: BinaryRow): undefined => void settings.push(Buffer.from(row.required(0)).toString());
  await copyOut(later, `select current_setting('jit')`, onRow);
  expect(settings).toEqual(['off']);
});

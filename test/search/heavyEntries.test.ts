/** Entries from before the table bounded their text: a few bytes stored, up to a gigabyte as text. They hold up nothing and nobody. */
import { expect, onTestFinished, test } from 'vitest';
import { countUnindexed, readIndexedUpTo } from '../../src/database/blocks.ts';
import { boundedRead } from '../../src/database/boundedRead.ts';
import { readEntries, readShownEntry } from '../../src/database/entries.ts';
import type { Database } from '../../src/database/pool.ts';
import { readFacet } from '../../src/search/facets.ts';
import { findEntries } from '../../src/search/findEntries.ts';
import { Agenda, indexAll } from '../../src/search/indexer.ts';
import { streamEntries } from '../../src/search/streamEntries.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { heavyEntries, writeOldEntries } from '../tools/heavyEntries.ts';
import { usePostgres } from '../tools/postgres.ts';
import { queryOf, writeEntries } from './entries.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(): Promise<Database> {
  const db = openDatabase(await postgres.createDatabase(), 4);
  onTestFinished(() => db.end());
  return db;
}

/** Each heavy entry between two plain ones. */
async function writeMixed(db: Database): Promise<{ heavy: Record<string, string>; plain: string[] }> {
  const heavy: Record<string, string> = {};
  const plain: string[] = [];
  for (const [name, entry] of Object.entries(heavyEntries)) {
    plain.push(...(await writeEntries(db, [{ metadata: `{"note": "needle-${name}"}` }])));
    heavy[name] = await writeOldEntries(db, entry);
  }
  plain.push(...(await writeEntries(db, [{ metadata: '{"note": "needle-last"}' }])));
  return { heavy, plain };
}

async function unindexed(db: Database, organization: string): Promise<number> {
  return boundedRead(db, 5_000, async (reader) =>
    countUnindexed(reader, organization, await readIndexedUpTo(reader, organization), 10_000),
  );
}

test('a search finds every plain match and names what it could not search', {
  timeout: 120_000,
}, async () => {
  const db = await setUp();
  const { heavy, plain } = await writeMixed(db);
  for (const isIndexed of [false, true]) {
    if (isIndexed) await indexAll(db, { share: 1, blockEntries: 2 });
    const found: string[] = [];
    const unsearched: string[] = [];
    let cursor = null;
    do {
      const page = await findEntries(db, queryOf({ text: 'NEEDLE-' }), cursor, { limit: 50 });
      for (const { id, isSearched, excerpt } of page.entries) {
        (isSearched ? found : unsearched).push(id);
        expect(excerpt === null).toBe(!isSearched);
      }
      cursor = page.next;
    } while (cursor);
    expect(found.toSorted()).toEqual(plain.toSorted());
    const searchable = ['deep', 'nearly'];
    expect(unsearched.toSorted()).toEqual(
      Object.entries(heavy)
        .flatMap(([name, id]) => (searchable.includes(name) ? [] : [id]))
        .toSorted(),
    );
  }
});

test('the list, facets and one entry are bounded whatever an entry holds', { timeout: 120_000 }, async () => {
  const db = await setUp();
  const { heavy } = await writeMixed(db);
  const { entries } = await findEntries(db, queryOf(), null, { limit: 50 });
  expect(entries.length).toBe(2 * Object.keys(heavy).length + 1);
  for (const entry of entries) expect(JSON.stringify(entry).length).toBeLessThan(10_000);
  expect(JSON.stringify(await readFacet(db, queryOf(), 'actor')).length).toBeLessThan(10_000);
  for (const [name, id] of Object.entries(heavy)) {
    const shown = await readShownEntry(db, 'acme', id, 65_536);
    expect(JSON.stringify(shown).length, name).toBeLessThan(1_000_000);
    if (name.startsWith('numbers') || name === 'zeros') expect(shown?.payload, name).toBeNull();
    else expect(shown?.payload, name).not.toBeNull();
  }
  const nulls = await readShownEntry(db, 'acme', heavy['nulls'] ?? '', 65_536);
  expect(nulls?.payload).toMatchObject({ isCut: true, bytes: 24_000_000 });
});

test('a download holds every entry, and says which fields it leaves out', { timeout: 120_000 }, async () => {
  const db = await setUp();
  const { heavy, plain } = await writeMixed(db);
  const streamed: Array<{ id: string; leftOut: readonly string[]; bytes: number | null }> = [];
  for await (const { id, leftOut, metadata } of streamEntries(db, queryOf()))
    streamed.push({ id, leftOut, bytes: metadata?.length ?? null });
  expect(streamed.map(({ id }) => id).toSorted()).toEqual([...plain, ...Object.values(heavy)].toSorted());
  const of = (name: string) => streamed.find(({ id }) => id === heavy[name]);
  for (const { id, leftOut } of streamed) if (plain.includes(id)) expect(leftOut).toEqual([]);
  expect(of('numbers800')).toMatchObject({ leftOut: ['metadata'], bytes: null });
  expect(of('numbers8300')).toMatchObject({ leftOut: ['metadata'], bytes: null });
  expect(of('zeros')).toMatchObject({ leftOut: ['metadata'], bytes: null });
  expect(of('name')).toMatchObject({ leftOut: ['actorName'], bytes: 2 });
  expect(of('nulls')).toMatchObject({ leftOut: [], bytes: 24_000_000 });
  expect(of('nearly')).toMatchObject({ leftOut: [] });
});

test('many entries that are each just small enough are read one after the other', async () => {
  const db = await setUp();
  const ids: string[] = [];
  for (let i = 0; i < 8; i++) ids.push(await writeOldEntries(db, heavyEntries.nearly));
  const { entries, read } = await readEntries(db, 'acme', ids);
  expect([entries.length, read]).toEqual([1, 1]);
});

test('the indexer passes them, and every organization has its turn', { timeout: 120_000 }, async () => {
  const db = await setUp();
  for (const entry of Object.values(heavyEntries)) await writeOldEntries(db, entry);
  await writeEntries(
    db,
    Array.from({ length: 600 }, (_, n) => ({ metadata: `{"n": ${n}}` })),
  );
  await writeEntries(
    db,
    Array.from({ length: 500 }, () => ({ organization: 'zebra' })),
  );
  await indexAll(db, { share: 1 });
  expect(await unindexed(db, 'zebra')).toBe(0);
  expect(await unindexed(db, 'acme')).toBeLessThan(500);
});

test('a row that cannot be read at all costs its own organization the index, for a while', async () => {
  const db = await setUp();
  await writeEntries(db, [
    ...Array.from({ length: 500 }, () => ({ organization: 'acme' })),
    ...Array.from({ length: 500 }, () => ({ organization: 'zebra' })),
  ]);
  // As a page that is broken on the disk: the text of this organization cannot be built.
  await db.query(
    `alter function audit.search_text(text, text, text, text, text, jsonb) rename to search_text_of`,
  );
  await db.query(
    `create function audit.search_text(a text, b text, c text, d text, e text, f jsonb) returns text language plpgsql as $$ begin
       if current_setting('test.organization', true) is null and a = 'broken.one' then raise exception 'broken' using errcode = 'XX001'; end if;
       return audit.search_text_of(a, b, c, d, e, f);
     end $$`,
  );
  await db.query(
    `update audit.entries set event_type = 'broken.one' where organization = 'acme' and id % 100 = 7`,
  );
  const agenda = new Agenda();
  const failures: string[] = [];
  const index = () =>
    indexAll(db, { share: 1, agenda, onFailure: ({ organization }) => failures.push(organization) });
  expect(await index()).toBe(500);
  expect(await unindexed(db, 'zebra')).toBe(0);
  expect(failures).toEqual(['acme']);
  expect(await index()).toBe(0);
  expect(failures).toEqual(['acme']);
});

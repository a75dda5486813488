/** What a search finds, in which order, with which excerpt. */
import { expect, onTestFinished, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/database/cursor.ts';
import type { EntryQuery } from '../../src/database/entryQuery.ts';
import { findEntries } from '../../src/search/findEntries.ts';
import { streamEntries } from '../../src/search/streamEntries.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { queryOf, type TestEntry, writeEntries } from './entries.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

async function setUp(entries: readonly TestEntry[]) {
  const db = openDatabase(await postgres.createDatabase(), 3);
  onTestFinished(() => db.end());
  const ids = await writeEntries(db, entries);
  /** Positions of what is found, in order. */
  const find = async (query: Partial<EntryQuery>) => {
    const { entries: found } = await findEntries(db, queryOf(query), null, { limit: 50 });
    return found.map((entry) => ids.indexOf(entry.id));
  };
  return { db, ids, find };
}

const at = (second: number) => new Date(1_780_000_000_000 + second * 1000).toISOString();

test('pages through an organization, newest first, and back', async () => {
  const { db, ids } = await setUp([
    ...Array.from({ length: 10 }, (_, i) => ({ occurredAt: at(Math.floor(i / 3)) })),
    { organization: 'other', occurredAt: at(1) },
  ]);
  const seen: string[] = [];
  let cursor = null;
  do {
    const found = await findEntries(db, queryOf(), cursor, { limit: 3 });
    expect(found.searchedBackTo).toBeNull();
    expect(found.more).toBe(found.next !== null);
    seen.push(...found.entries.map((entry) => entry.id));
    cursor = found.next && decodeCursor(encodeCursor(found.next));
    expect(cursor).toEqual(found.next);
  } while (cursor);
  expect(seen).toEqual(ids.slice(0, 10).reverse());

  const middle = (await findEntries(db, queryOf(), null, { limit: 5 })).next;
  const newer = await findEntries(db, queryOf(), middle, { limit: 2, direction: 'newer' });
  expect(newer.entries.map((entry) => entry.id)).toEqual([ids[6], ids[7]]);
  expect(newer.more).toBe(true);
});

test('every filter says what it says', async () => {
  const { find } = await setUp([
    { eventType: 'flow.created', actorId: 'u-1', actorName: 'Ada', project: 'web', occurredAt: at(1) },
    {
      eventType: 'flow.deleted',
      actorId: 'u-2',
      actorName: 'u-1',
      sessionType: 'api_key',
      occurredAt: at(2),
    },
    { eventType: 'user.login', project: 'api', metadata: '{"a": {"b": [1, "Zoë"]}}', occurredAt: at(3) },
  ]);
  expect(await find({})).toEqual([2, 1, 0]);
  expect(await find({ eventTypes: ['flow.created', 'user.login', 'nobody'] })).toEqual([2, 0]);
  expect(await find({ actors: ['u-1'] })).toEqual([1, 0]);
  expect(await find({ sessionTypes: ['api_key', 'x'] })).toEqual([1]);
  expect(await find({ projects: ['api'] })).toEqual([2]);
  expect(await find({ projects: [null] })).toEqual([1]);
  expect(await find({ from: at(2), to: at(3) })).toEqual([1]);
  expect(await find({ from: '2026-05-28T22:26:42+02:00' })).toEqual([2, 1]);
  expect(await find({ has: ['{"a": {"b": ["Zoë"]}}'] })).toEqual([2]);
  expect(await find({ has: ['{"a": {"b": [1.0]}}', '{"a": {}}'] })).toEqual([2]);
  expect(await find({ text: 'ZOË' })).toEqual([2]);
  expect(await find({ text: 'FLOW.' })).toEqual([1, 0]);
  expect(await find({ text: 'u-1', eventTypes: ['flow.deleted'] })).toEqual([1]);
  expect(await find({ text: '\u0000' })).toEqual([]);
  expect(await find({ organization: 'nobody' })).toEqual([]);
});

test('finds text as typed, as JSON escapes it, and minified', async () => {
  const { find } = await setUp([
    { metadata: JSON.stringify({ note: 'say "hi" to\nC:\\temp', a: 1, list: [1, 2, { b: 'x' }] }) },
    { metadata: '{"percent": "100%_sure"}' },
  ]);
  for (const text of [
    'say "hi"',
    'say \\"hi\\"',
    'to\nC:',
    'c:\\temp',
    '"a":1',
    '"a": 1',
    '"list":[1,2,{"b":"x"}]',
  ]) {
    expect([text, await find({ text })]).toEqual([text, [0]]);
  }
  expect(await find({ text: '100%_s' })).toEqual([1]);
  expect(await find({ text: '100_s' })).toEqual([]);
});

test('shows the metadata around the first hit as it was written', async () => {
  const { db } = await setUp([
    { metadata: JSON.stringify({ long: `${'x'.repeat(500)} Grüße an ADA ${'y'.repeat(500)}` }) },
    { metadata: '{}', actorName: 'Ada' },
  ]);
  const { entries } = await findEntries(db, queryOf({ text: 'ada' }), null, { limit: 50 });
  expect(entries.map((entry) => entry.excerpt)).toEqual([
    null,
    `…${'x'.repeat(50)} Grüße an ADA ${'y'.repeat(96)}…`,
  ]);
});

test('streams a whole query in order, whatever the size of its values', async () => {
  const big = JSON.stringify({ text: 'z'.repeat(1_000_000) });
  const { db, ids } = await setUp(
    Array.from({ length: 1_200 }, (_, i) => ({
      metadata: i % 100 === 7 ? big : `{"n": ${i}}`,
      occurredAt: at(i),
    })),
  );
  const streamed: string[] = [];
  for await (const entry of streamEntries(db, queryOf({ from: at(1) }))) {
    streamed.push(entry.id);
    if (ids.indexOf(entry.id) % 100 === 7) expect(entry.metadata).toHaveLength(big.length + 1);
  }
  expect(streamed).toEqual(ids.slice(1).reverse());
});

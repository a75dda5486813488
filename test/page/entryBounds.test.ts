/** An entry that is small as it is stored and huge as text: every part of the page answers, bounded, and says what it leaves out. */
import { expect, it } from 'vitest';
import { longestTurn } from '../../tools/processorTime.ts';
import { migrateDatabase } from '../tools/database.ts';
import { type HeavyEntry, heavyEntries, writeOldEntries } from '../tools/heavyEntries.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

it.each(Object.entries<HeavyEntry>(heavyEntries))(
  'shows and downloads %s',
  { timeout: 180_000 },
  async (name, entry) => {
    const { origin, db } = await startPageUnderTest(postgres);
    await writePageEntries(db, [{ eventType: 'plain.one', metadata: '{"n": 1}' }]);
    const id = await writeOldEntries(db, entry);
    const get = async (path: string): Promise<string> => {
      const response = await fetch(origin + logs + path);
      expect(response.status, path).toBe(200);
      return response.text();
    };
    const { result, longestMs } = await longestTurn(
      (async () => ({
        list: await get(''),
        drawer: await get(`/entries/${id}`),
        whole: await get(`/entries/${id}?whole=1`),
        found: await get('?q=needle'),
      }))(),
    );
    const { list, drawer, whole, found } = result;
    // A payload parsed whole took seconds.
    expect(longestMs, 'milliseconds that nobody else was served').toBeLessThan(1_000);
    for (const page of [list, drawer, found]) expect(page.length).toBeLessThan(400_000);
    expect(whole.length).toBeLessThan(6_000_000);
    expect(list).toContain('heavy.one');

    const ndjson = (await get('/entries.ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ndjson.map((line) => line.eventType)).toEqual(['heavy.one', 'plain.one']);
    expect(ndjson[1]).toMatchObject({ metadata: { n: 1 } });
    expect(ndjson[1].leftOut).toBeUndefined();
    const csv = await get('/entries.csv');
    const json = JSON.parse(await get(`/entries/${id}/json`));
    if (name.startsWith('numbers') || name === 'zeros') {
      expect(drawer).toContain('too large to show as text');
      for (const line of [ndjson[0], json]) {
        expect(line).toMatchObject({ metadata: null, leftOut: ['metadata'], leftOutWhy: expect.any(String) });
      }
      expect(csv).toContain('[left out: too large to be written as text]');
      expect(found).toContain('Too large to search: it may or may not hold this.');
    }
    if (name === 'name') {
      expect(ndjson[0]).toMatchObject({ metadata: {}, leftOut: ['actorName'] });
      expect(csv).toContain('… [cut: too large]');
    }
    if (name === 'nulls') {
      expect(drawer).toContain('The first 256 KiB of 22.9 MiB are shown');
      expect(json.metadata.length).toBe(4_000_000);
    }
  },
);

/** Entries dated in the future bury nothing and silence nothing. */
import { describe, expect, it } from 'vitest';
import { migrateDatabase, openSession } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const far = new Date('2199-06-01T00:00:00Z');

async function setUp() {
  const page = await startPageUnderTest(postgres);
  const get = async (path: string): Promise<string> => (await fetch(page.origin + path)).text();
  const plainUrl = (text: string) => text.replaceAll('&amp;', '&');
  const liveOf = (html: string) => plainUrl(/hx-get="([^"]*\/newer\?[^"]*)"/.exec(html)?.[1] ?? '');
  const newer = async (live: string) => {
    const response = await fetch(page.origin + live);
    return response.status === 204 ? 0 : Number(/(\d+)\+? new/.exec(await response.text())?.[1]);
  };
  return { ...page, get, liveOf, newer, plainUrl };
}

describe('entries dated in the future', () => {
  it('are left out of relative ranges, with their number and a way to them', async () => {
    const { db, get, plainUrl } = await setUp();
    await writePageEntries(db, [
      { eventType: 'now.one' },
      ...Array.from({ length: 60 }, () => ({ eventType: 'far.one', occurredAt: far })),
      { eventType: 'soon.one', occurredAt: new Date(Date.now() + 60_000) },
    ]);
    const list = await get(`${logs}?range=24h`);
    expect(list).toContain('now.one</bdi></a>');
    expect(list).toContain('soon.one</bdi></a>');
    expect(list).not.toContain('far.one</bdi></a>');
    expect(list).toContain('60 entries are dated in the future and outside this range.');
    const link = /outside this range\. <a href="([^"]*)"/.exec(list)?.[1] ?? '';
    expect(await get(plainUrl(link))).toContain('far.one</bdi></a>');
    const all = await get(`${logs}?range=all`);
    expect(all).toContain('60 entries are dated in the future and may come before all others.');
    const without = /all others\. <a href="([^"]*)"/.exec(all)?.[1] ?? '';
    expect(await get(plainUrl(without))).toContain('now.one</bdi></a>');
    expect(await get(`${logs}?range=24h&type=now.one&before=x`)).not.toContain('may come before');
  });

  it('are shown with about when they were recorded, and others without', async () => {
    const { db, get } = await setUp();
    const around = Array.from({ length: 6 }, () => ({}));
    await writePageEntries(db, around);
    const [id] = await writePageEntries(db, [{ occurredAt: far }]);
    const [plain] = await writePageEntries(db, around);
    expect(await get(`${logs}/entries/${id}`)).toMatch(/<dt>Recorded<\/dt><dd>about <time datetime="20[2-9]/);
    expect(await get(`${logs}/entries/${plain}`)).not.toContain('<dt>Recorded</dt>');
  });

  it('silence no announcement, a minute or a century ahead', async () => {
    const { db, get, liveOf, newer } = await setUp();
    await writePageEntries(db, [
      { occurredAt: far },
      { occurredAt: new Date(Date.now() + 120_000) },
      { eventType: 'old.one' },
    ]);
    for (const range of ['', '?range=all']) {
      const live = liveOf(await get(logs + range));
      expect(await newer(live)).toBe(0);
      await writePageEntries(db, [{}, {}]);
      expect(await newer(live), range).toBe(2);
      await writePageEntries(db, [{ occurredAt: far }]);
      expect(await newer(live), range).toBe(range === '' ? 2 : 3);
    }
  });
});

describe('new entries', () => {
  it('are those committed since the list was read, however old they are dated, within the filter', async () => {
    const { db, databaseUrl, get, liveOf, newer } = await setUp();
    const late = await openSession(databaseUrl);
    try {
      await writePageEntries(db, [{}]);
      await late.query('begin');
      await late.query(
        `insert into audit.entries (organization, event_type, metadata) values ('acme', 'late.one', '{}')`,
      );
      await writePageEntries(db, [{}, {}]);
      const live = liveOf(await get(logs));
      const filtered = liveOf(await get(`${logs}?q=late`));
      expect(await newer(live)).toBe(0);
      await late.query('commit');
      await writePageEntries(db, [
        { occurredAt: new Date(Date.now() - 3_600_000) },
        { organization: 'globex' },
      ]);
      expect(await newer(live)).toBe(2);
      expect(await newer(filtered)).toBe(1);
      await writePageEntries(
        db,
        Array.from({ length: 150 }, () => ({})),
      );
      expect(await newer(live)).toBe(100);
      for (const since of ['', 'x', Buffer.from('["1","9:1:x"]').toString('base64url')])
        expect(await newer(`${logs}/newer?live=1&since=${since}`)).toBe(0);
    } finally {
      await late.end();
    }
  });
});

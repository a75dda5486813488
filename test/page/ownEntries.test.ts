/** What the page writes about itself does not get in the way of those who look for something else. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { writeEntryOnceAnHour } from '../../src/database/entries.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase, openDatabase, openSession } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { ada, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

describe('a text search', () => {
  it('finds no download or test record that repeats its term, says so, and finds them when they are chosen', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const get = async (search: string) => (await fetch(`${origin}${logs}${search}`)).text();
    await writePageEntries(db, [
      { eventType: 'flow.deleted', metadata: '{"name": "needle"}' },
      { eventType: 'audit_export.tested', metadata: '{"host": "needle.example.com"}' },
      { eventType: 'audit_export.deleted', metadata: '{"host": "needle.example.com"}' },
    ]);
    await get('/entries.csv?q=needle');
    const typesOf = (html: string) =>
      [...html.matchAll(/data-row><bdi>(.*?)<\/bdi>/g)].map(([, type]) => type?.replaceAll('<wbr>', ''));
    const list = await get('?q=needle');
    expect(typesOf(list)).toEqual(['audit_export.deleted', 'flow.deleted']);
    expect(list).toContain('Not searched: entries about downloads');
    const link = /export settings\. <a href="[^"?]*([^"]*)"/.exec(list)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(typesOf(await get(link))).toEqual(['audit_logs.exported', 'audit_export.tested']);
    expect(typesOf(await get('?q=needle&type=audit_logs.exported'))).toEqual(['audit_logs.exported']);
    expect(typesOf(await get(''))).toHaveLength(4);
    expect(await get('?q=nothing')).toMatch(/No entry matches[\s\S]*Not searched: entries about downloads/);
    const file = await get('/entries.ndjson?q=needle');
    expect(file.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('a look at the export settings', () => {
  it('is recorded once a person and hour, however many come at once', async () => {
    const { origin, db } = await startPageUnderTest(postgres);
    const look = () => fetch(`${origin}${logs}/export`).then((response) => response.text());
    await Promise.all([look(), look(), look(), look()]);
    const count = async () =>
      (await db.query(`select from audit.entries where event_type = 'audit_export.settings_viewed'`))
        .rowCount;
    expect(await count()).toBe(1);
    await db.query(
      `create table moved as select * from audit.entries; delete from audit.entries;
       insert into audit.entries (organization, event_type, actor_id, metadata, occurred_at)
       select organization, event_type, actor_id, metadata, occurred_at - interval '61 minutes' from moved`,
    );
    await look();
    await look();
    expect(await count()).toBe(2);
    await db.query(`update audit.entries set actor_id = $1`, ['somebody else']);
    await look();
    expect(await count()).toBe(3);
    expect(ada.id).not.toBe('somebody else');
  });

  it('is recorded once also if the one who began first comes second', async () => {
    const url = await postgres.createDatabase();
    const db = openDatabase(url, 3);
    onTestFinished(() => db.end());
    const entry = {
      ...{ organization: 'acme', eventType: 'audit_export.settings_viewed', actorId: ada.id },
      ...{ actorName: null, sessionType: 'user', project: null, metadata: {} },
    };
    const holder = await openSession(url);
    onTestFinished(() => holder.end());
    await holder.query(
      `begin; select pg_advisory_xact_lock(hashtextextended($$["audit-export","acme","audit_export.settings_viewed","${ada.id}"]$$, 0))`,
    );
    const first = writeEntryOnceAnHour(db, entry);
    await waitFor(async () => (await db.query(`select from pg_locks where not granted`)).rowCount === 1);
    await holder.query(
      `insert into audit.entries (organization, event_type, actor_id, metadata, occurred_at)
       values ('acme', 'audit_export.settings_viewed', '${ada.id}', '{}', clock_timestamp()); commit`,
    );
    await first;
    expect((await db.query('select from audit.entries')).rowCount).toBe(1);
  });
});

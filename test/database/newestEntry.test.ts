/** The newest entry, as the page shows what is sent. */
import { expect, it } from 'vitest';
import { readNewestEntry } from '../../src/database/newestEntry.ts';
import { migrateDatabase, openDatabase } from '../tools/database.ts';
import { writePageEntries } from '../tools/pageEntries.ts';
import { usePostgres } from '../tools/postgres.ts';

const postgres = usePostgres({ prepare: migrateDatabase });

it('is the newest of the product, of this organization, to the byte', async () => {
  const db = openDatabase(await postgres.createDatabase());
  try {
    expect(await readNewestEntry(db, 'acme', 1_000)).toEqual({ kind: 'none' });
    const [own] = await writePageEntries(db, [{ eventType: 'audit_export.settings_viewed' }]);
    expect(await readNewestEntry(db, 'acme', 1_000)).toMatchObject({ entry: { id: BigInt(own ?? '') } });
    const metadata = '{"big": 123456789012345678901234567890, "name": "\u00e4\ud83d\ude00"}';
    const [wanted] = await writePageEntries(db, [
      { metadata, project: 'web', occurredAt: new Date('2026-01-02T03:04:05.678Z') },
      { organization: 'other', eventType: 'other.newer' },
      { eventType: 'audit_export.tested' },
    ]);
    const read = await readNewestEntry(db, 'acme', 1_000);
    if (read.kind !== 'read') throw new Error(read.kind);
    const { entry } = read;
    expect(entry.id).toBe(BigInt(wanted ?? ''));
    expect(Buffer.from(entry.metadata).toString()).toBe(metadata);
    expect([entry.eventType, entry.actorId, entry.project].map(String)).toEqual([
      'flow.created',
      'u-1',
      'web',
    ]);
    expect(entry.uid.length).toBe(16);
    expect(entry.occurredAtMicros).toBe(Date.parse('2026-01-02T03:04:05.678Z') * 1_000);
    const bytes = Buffer.byteLength(metadata);
    expect((await readNewestEntry(db, 'acme', bytes)).kind).toBe('read');
    expect(await readNewestEntry(db, 'acme', bytes - 1)).toEqual({ kind: 'too-large', id: wanted });
  } finally {
    await db.end();
  }
});

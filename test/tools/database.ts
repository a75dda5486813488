/** What tests do to an audit database: migrate it, write entries into it as a product would, look at its rows. */
import pg from 'pg';
import { migrate, readMigrations } from '../../src/database/migrate.ts';
import { type Database, makePool } from '../../src/database/pool.ts';
import { Secret } from '../../src/model/secret.ts';

/** For `usePostgres({ prepare })`. */
export async function migrateDatabase(url: string): Promise<void> {
  const db = openDatabase(url);
  await migrate(db, await readMigrations());
  await db.end();
}

/** A pool as the collector has it; the caller ends it. */
export function openDatabase(url: string, size = 8): Database {
  return makePool({ url: () => new Secret(url), size, onIdleError: () => {} });
}

export interface NewEntry {
  readonly organization?: string;
  readonly eventType?: string;
  readonly project?: string | null;
  /** JSON text. */
  readonly metadata?: string;
  readonly occurredAt?: string;
}

/** Inserts in one statement; returns ids in order. */
export async function insertEntries(
  db: Pick<Database, 'query'> | pg.Client,
  entries: readonly NewEntry[],
): Promise<string[]> {
  const result = await db.query<{ id: string }>(
    `insert into audit.entries (organization, event_type, project, metadata, occurred_at)
     select e.organization, e.event_type, e.project, e.metadata, coalesce(e.occurred_at, now())
     from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[]) with ordinality
       as e(organization, event_type, project, metadata, occurred_at, n)
     order by n returning id::text`,
    [
      entries.map((e) => e.organization ?? 'acme'),
      entries.map((e) => e.eventType ?? 'flow.created'),
      entries.map((e) => e.project ?? null),
      entries.map((e) => e.metadata ?? '{}'),
      entries.map((e) => e.occurredAt ?? null),
    ],
  );
  return result.rows.map((row) => row.id);
}

/** `count` entries whose metadata is `{"n": 1}`, `{"n": 2}` … */
export function numbered(count: number, entry: NewEntry = {}): NewEntry[] {
  return Array.from({ length: count }, (_, i) => ({ ...entry, metadata: `{"n": ${i + 1}}` }));
}

/** A session of its own, to hold a transaction open in. */
export async function openSession(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Uids of an organization's entries, sorted. */
export async function uidsOf(db: Pick<Database, 'query'>, organization = 'acme'): Promise<string[]> {
  const result = await db.query<{ uid: string }>(
    'select uid::text from audit.entries where organization = $1',
    [organization],
  );
  return result.rows.map((row) => row.uid).sort();
}

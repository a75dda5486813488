/** Entries as the page shows them, and the ones that it writes about itself. */
import { boundedRead } from './boundedRead.ts';
import { isEntryId } from './cursor.ts';
import type { Database } from './pool.ts';

/** An entry without its metadata. */
export interface EntryView {
  /** Decimal. */
  readonly id: string;
  readonly uid: string;
  /** RFC 3339 in UTC with microseconds. */
  readonly occurredAt: string;
  readonly eventType: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly sessionType: string;
  /** null: an action on the organization itself. */
  readonly project: string | null;
}

export interface FullEntry extends EntryView {
  /** JSON text as Postgres prints it: numbers as they were written. */
  readonly metadata: string;
}

/** A timestamptz column as RFC 3339 in UTC with microseconds. */
export function utcMicroseconds(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Select list of an `EntryView` of the row `e`. */
export const viewColumns = `e.id::text, e.uid::text, ${utcMicroseconds('e.occurred_at')} as "occurredAt", e.event_type as "eventType",
  e.actor_id as "actorId", e.actor_name as "actorName", e.session_type as "sessionType", e.project`;

/** Longer than any that has an index to go by. */
const readTimeoutMs = 5_000;

/** Null: the organization has no such entry. */
export async function readEntry(db: Database, organization: string, id: string): Promise<FullEntry | null> {
  if (!isEntryId(id)) return null;
  const rows = await boundedRead(db, readTimeoutMs, (reader) =>
    reader.query<FullEntry>(
      `select ${viewColumns}, e.metadata::text from audit.entries e where e.id = $1 and e.organization = $2`,
      [id, organization],
    ),
  );
  return rows[0] ?? null;
}

/** What the metadata of one read of `readEntries` may take as it is stored, compressed: 64 KiB. */
const storedBytesPerRead = 65_536;

/**
 * Whole entries by id, in the order given, as many of the first as memory is kept small for, at least one of those that
 * exist. `read` says how many ids were looked at: ask again with the rest.
 */
export async function readEntries(
  db: Database,
  organization: string,
  ids: readonly string[],
): Promise<{ entries: FullEntry[]; read: number }> {
  const rows = await boundedRead(db, 60_000, (reader) =>
    reader.query<FullEntry & { n: string }>(
      `select ${viewColumns}, e.metadata::text, e.n::text
       from (select e.*, n, sum(pg_column_size(e.metadata)) over (order by n rows unbounded preceding) - pg_column_size(e.metadata) as before
         from unnest($1::bigint[]) with ordinality as wanted(id, n) join audit.entries e using (id)
         where e.organization = $2) as e
       where before < $3 order by e.n`,
      [ids, organization, storedBytesPerRead],
    ),
  );
  const entries = rows.map(({ n: _, ...entry }) => entry);
  return { entries, read: rows.length === 0 ? ids.length : Number(rows.at(-1)?.n) };
}

export interface OwnEntry {
  readonly organization: string;
  readonly eventType: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly sessionType: string;
  readonly project: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Writes an entry about the page itself, under the same rights as a product; returns its id. */
export async function writeEntry(db: Database, entry: OwnEntry): Promise<string> {
  const result = await db.query<{ id: string }>(
    `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata)
     values ($1, $2, $3, $4, $5, $6, $7) returning id::text`,
    [
      entry.organization,
      entry.eventType,
      entry.actorId,
      entry.actorName,
      entry.sessionType,
      entry.project,
      JSON.stringify(entry.metadata),
    ],
  );
  const id = result.rows[0]?.id;
  if (id === undefined) throw new Error('an insert returned no row');
  return id;
}

/** Reads entries as the page shows them, and writes those about the page itself. */
import { boundedRead, isTooMuch } from './boundedRead.ts';
import { isEntryId } from './cursor.ts';
import { isReadable, isSmall, mostColumnBytes, mostTextBytes } from './entryBounds.ts';
import type { Database } from './pool.ts';
import { sharedRead } from './shares.ts';

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
  /** JSON text as Postgres prints it, with numbers as they were written. null: too large to be text; `leftOut` names it. */
  readonly metadata: string | null;
  /** Fields that are too large: `metadata` is then null, others are cut after 1,000 characters. Empty for nearly every entry. */
  readonly leftOut: readonly string[];
}

/** An entry as it is shown: never more than a page can carry, whatever the entry holds. */
export interface ShownEntry extends EntryView {
  /** RFC 3339: about when it was written, judging by the entries written around it; null within a day of `occurredAt`. */
  readonly recordedAbout: string | null;
  /** null: too large to be text. */
  readonly payload: { readonly text: string; readonly isCut: boolean; readonly bytes: number } | null;
}

/** A timestamptz column as RFC 3339 in UTC with microseconds. */
export function utcMicroseconds(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** The select list of an `EntryView` of the row `e`, each column cut after 1,000 characters. */
export const viewColumns = listColumns((column) => `left(${column}, 1000)`);

/** The same, but columns up to 1 MiB are whole. */
const wholeColumns = listColumns(
  (column) =>
    `case when octet_length(${column}) <= ${mostColumnBytes} then ${column} else left(${column}, 1000) end`,
);

function listColumns(bound: (column: string) => string): string {
  return `e.id::text, e.uid::text, ${utcMicroseconds('e.occurred_at')} as "occurredAt", e.event_type as "eventType",
  ${bound('e.actor_id')} as "actorId", ${bound('e.actor_name')} as "actorName", ${bound('e.session_type')} as "sessionType", ${bound('e.project')} as project`;
}

const boundedColumns = {
  actor_id: 'actorId',
  actor_name: 'actorName',
  session_type: 'sessionType',
  project: 'project',
};
const columnsLeftOut = Object.entries(boundedColumns)
  .map(([column, field]) => `case when octet_length(e.${column}) > ${mostColumnBytes} then '${field}' end`)
  .join(', ');

/** Longer than any read that an index serves. */
const readTimeoutMs = 5_000;
/** A single entry with millions of values takes seconds. */
const payloadTimeoutMs = 10_000;

/** An entry with at most `mostCharacters` of its payload. Null: the organization has no such entry. */
export async function readShownEntry(
  db: Database,
  organization: string,
  id: string,
  mostCharacters: number,
): Promise<ShownEntry | null> {
  if (!isEntryId(id)) return null;
  const [entry] = await boundedRead(db, readTimeoutMs, (reader) =>
    reader.query<EntryView>(
      `select ${viewColumns} from audit.entries e where e.id = $1 and e.organization = $2`,
      [id, organization],
    ),
  );
  if (!entry) return null;
  const recordedAbout = await readRecordedAbout(db, organization, id);
  const rows = await orNothing(
    sharedRead(db, organization, payloadTimeoutMs, (reader) =>
      reader.query<{ text: string; bytes: number }>(
        `select left(payload, $3) as text, octet_length(payload) as bytes
         from (select e.metadata::text as payload from audit.entries e
           where e.id = $1 and e.organization = $2 and ${isReadable} offset 0) as e`,
        [id, organization, mostCharacters],
      ),
    ),
  );
  const payload = rows?.[0];
  return {
    ...entry,
    recordedAbout,
    payload: payload ? { ...payload, isCut: Buffer.byteLength(payload.text) < payload.bytes } : null,
  };
}

/**
 * Estimates when an entry was written. The table has an order but no time of writing; most of the twenty entries around this one are
 * dated when they were written. Null: within a day of its own date, or unknown.
 */
async function readRecordedAbout(db: Database, organization: string, id: string): Promise<string | null> {
  const around = (past: '<' | '>', sorted: 'desc' | 'asc'): string =>
    `(select n.occurred_at from audit.entries n where n.organization = e.organization and n.cluster = e.cluster
       and (n.xid, n.id) ${past} (e.xid, e.id) order by n.xid ${sorted}, n.id ${sorted} limit 10)`;
  const [row] = await boundedRead(db, readTimeoutMs, (reader) =>
    reader.query<{ at: string }>(
      `select ${utcMicroseconds('around.at')} as at from audit.entries e, lateral (
         select percentile_disc(0.5) within group (order by n.occurred_at) as at
         from (${around('<', 'desc')} union all ${around('>', 'asc')}) n) around
       where e.id = $1 and e.organization = $2 and around.at <= now()
         and abs(extract(epoch from around.at - e.occurred_at)) > 86400`,
      [id, organization],
    ),
  );
  return row?.at ?? null;
}

/** Longer than reading fifty small payloads ever takes; without them the list is still a list. */
const summaryTimeoutMs = 1_000;

/**
 * The payloads of entries as JSON text, by id, of those whose text has at most `mostBytes`; without the others. Empty where reading them
 * takes too long.
 */
export async function readSmallPayloads(
  db: Database,
  organization: string,
  ids: readonly string[],
  mostBytes: number,
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await orNothing(
    boundedRead(db, summaryTimeoutMs, (reader) =>
      reader.query<{ id: string; payload: string }>(
        `select e.id::text, e.payload from (
           select e.id, e.metadata::text as payload from audit.entries e
           where e.id = any ($1::bigint[]) and e.organization = $2
             and case when pg_column_size(e.metadata) > $3::int then false else ${isSmall('$3::int')} end offset 0) e
         where octet_length(e.payload) <= $3::int`,
        [ids, organization, mostBytes],
      ),
    ),
  );
  return new Map(rows?.map(({ id, payload }) => [id, payload]));
}

/** Null: the organization has no such entry. */
export async function readEntry(db: Database, organization: string, id: string): Promise<FullEntry | null> {
  if (!isEntryId(id)) return null;
  const { entries } = await readEntries(db, organization, [id]);
  return entries[0] ?? null;
}

/** How much stored (compressed) metadata one read of `readEntries` may cover: 64 KiB. */
const storedBytesPerRead = 65_536;
/** The same as text: 1 MiB, or one entry. */
const textBytesPerRead = 1_048_576;

/**
 * Whole entries by id, in the order given: as many of the first as fit into little memory, but at least one that exists. `read`
 * says how many ids were covered: ask again with the rest.
 */
export async function readEntries(
  db: Database,
  organization: string,
  ids: readonly string[],
): Promise<{ entries: FullEntry[]; read: number }> {
  const [first] = ids;
  if (first === undefined) return { entries: [], read: 0 };
  // Postgres can lack the memory or time for a payload even within the bounds: try fewer at once, then one alone without its payload.
  for (let most = ids.length; ; most = Math.ceil(most / 4)) {
    const rows = await orNothing(readWhole(db, organization, ids.slice(0, most), true));
    const last = rows?.at(-1);
    if (rows) return { entries: rows.map(({ n: _, ...entry }) => entry), read: last ? Number(last.n) : most };
    if (most > 1) continue;
    const bare = await readWhole(db, organization, [first], false);
    return { entries: bare.map(({ n: _, ...entry }) => entry), read: 1 };
  }
}

function readWhole(
  db: Database,
  organization: string,
  ids: readonly string[],
  withPayload: boolean,
): Promise<Array<FullEntry & { n: string }>> {
  // Each text is built twice, so that never more of them are held at once than fit.
  return sharedRead(db, organization, 60_000, (reader) =>
    reader.query(
      `select ${wholeColumns}, case when sized.text_bytes <= ${mostTextBytes} then e.metadata::text end as metadata, sized.n::text,
         array_remove(array[${columnsLeftOut}, case when sized.text_bytes <= ${mostTextBytes} then null else 'metadata' end], null) as "leftOut"
       from (select n, id, text_bytes,
           coalesce(sum(least(text_bytes, ${mostTextBytes})) over (order by n rows between unbounded preceding and 1 preceding), 0) as before
         from (select n, e.id, ${withPayload ? `case when ${isReadable} then octet_length(e.metadata::text) end` : 'null::int'} as text_bytes
           from (select n, e.id, e.metadata, sum(pg_column_size(e.metadata)) over (order by n rows unbounded preceding) - pg_column_size(e.metadata) as before
             from unnest($1::bigint[]) with ordinality as wanted(id, n) join audit.entries e using (id)
             where e.organization = $2) as e
           where e.before < $3 offset 0) as e) as sized
       join audit.entries e using (id) where sized.before < $4 order by sized.n`,
      [ids, organization, storedBytesPerRead, textBytesPerRead],
    ),
  );
}

/** Undefined: too much for Postgres's memory, for a limit of its own, or for the time allowed. */
async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isTooMuch(error)) return undefined;
    throw error;
  }
}

export interface OwnEntry extends Omit<EntryView, 'id' | 'uid' | 'occurredAt'> {
  readonly organization: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Does as `writeEntry`, unless this actor has such an entry of the last hour already. */
export async function writeEntryOnceAnHour(db: Database, entry: OwnEntry): Promise<void> {
  const client = await db.connect();
  let failure: Error | undefined;
  try {
    // Whoever comes second waits, and then sees what the first has written.
    await client.query('begin isolation level read committed');
    await client.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [
      JSON.stringify(['audit-export', entry.organization, entry.eventType, entry.actorId]),
    ]);
    // Not now(): whoever began first may come second.
    const { rowCount } = await client.query(
      `select from audit.entries where organization = $1 and event_type = $2 and actor_id = $3
         and occurred_at > clock_timestamp() - interval '1 hour' and occurred_at <= clock_timestamp() limit 1`,
      [entry.organization, entry.eventType, entry.actorId],
    );
    if (rowCount === 0) await writeEntry(client, entry);
    await client.query('commit');
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    await client.query('rollback').catch(() => {});
    throw error;
  } finally {
    client.release(failure);
  }
}

/** Writes an entry about the page itself, under the same rights as a product; returns its id. */
export async function writeEntry(db: Pick<Database, 'query'>, entry: OwnEntry): Promise<string> {
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

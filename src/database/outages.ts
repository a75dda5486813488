/**
 * Keeps since when a stream fails, and writes what its organization is told about it into the organization's own log.
 *
 * Promises:
 *  - Once: what was told moves by compare-and-set in the statement that writes the entry, whoever else looks at the stream.
 *  - These entries pass every filter (filterCondition.ts), so they reach the organization's other destinations.
 */
import type { Outage } from '../model/outage.ts';
import { isUnheld } from './fragments.ts';
import type { Database } from './pool.ts';

export interface ToldEntry {
  readonly eventType: 'audit_export.failing' | 'audit_export.recovered';
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface OutageMove {
  readonly from: Outage | null;
  readonly to: Outage | null;
  readonly entry: ToldEntry | null;
}

/** A stream that no replica sends. */
export interface UnheldStream {
  readonly id: string;
  readonly configKey: string;
  readonly outage: Outage | null;
  /** A number. */
  readonly delivered: string;
}

/** By the holder. False: the lease is lost, or `from` is not what the row says. */
export function moveOutage(
  db: Database,
  stream: { id: string; token: string },
  move: OutageMove,
): Promise<boolean> {
  return run(db, `s.id = $1 and s.token = $5`, stream.id, stream.token, move);
}

/** For a stream that nobody holds; it waits for no lock. False: somebody holds it, or `from` is not what the row says. */
export function moveUnheldOutage(db: Database, id: string, move: OutageMove): Promise<boolean> {
  const free = `s.id = (select s.id from audit.streams s where s.id = $1 and $5::text is null and ${isUnheld} for update skip locked)`;
  return run(db, free, id, null, move);
}

async function run(
  db: Database,
  which: string,
  id: string,
  token: string | null,
  { from, to, entry }: OutageMove,
): Promise<boolean> {
  const result = await db.query<{ moved: boolean }>(
    `with moved as (
       update audit.streams s set outage = $2::jsonb
       where ${which} and s.outage is not distinct from $3::jsonb
       returning s.organization
     ), told as (
       insert into audit.entries (organization, event_type, session_type, metadata)
       select organization, $4::jsonb ->> 'eventType', 'system', $4::jsonb -> 'metadata' from moved where $4::jsonb is not null
     )
     select exists (select from moved) as moved`,
    [id, toJson(to), toJson(from), toJson(entry), token],
  );
  return result.rows[0]?.moved === true;
}

function toJson(value: object | null): string | null {
  return value && JSON.stringify(value);
}

/**
 * The streams of configs of which nothing is in force, as far as nobody sends them: of each key the one that was used last, and
 * not one whose config went to another organization.
 */
export async function findUnheld(db: Database, configKeys: readonly string[]): Promise<UnheldStream[]> {
  const result = await db.query<UnheldStream>(
    `select distinct on (s.config_key) s.id, s.config_key as "configKey", s.outage, s.delivered
     from audit.streams s
     where s.config_key = any ($1) and ${isUnheld} and coalesce(not s.config ? 'deleted', true)
     order by s.config_key, greatest(s.created_at, s.moved_at) desc`,
    [configKeys],
  );
  return result.rows;
}

/**
 * Tells the first parked entry of each day (UTC, by the database's clock), once: of today, and of a day before that nobody was there
 * to tell, such as when an entry was parked right before midnight. An entry about a parked entry that is parked itself is one of
 * that day, so that none follows from it.
 */
export async function tellParked(
  db: Database,
  stream: { id: string; token: string },
  destination: string,
): Promise<void> {
  await db.query(
    `with due as (
       select s.id, s.organization, coalesce(s.parked_told_on, today.day - 2) as told_on from audit.streams s,
         (select (now() at time zone 'UTC')::date as day) as today
       where s.id = $1 and s.token = $2 and s.parked_told_on is distinct from today.day for update of s
     ), first as (
       select distinct on (p.day) due.*, p.day, p.sequence, p.entry_id, p.reason, p.message
       from due join (
         select stream, sequence, entry_id, reason, message, parked_at, (parked_at at time zone 'UTC')::date as day
         from audit.parked) as p on p.stream = due.id and p.day > due.told_on
       order by p.day, p.parked_at, p.sequence
     ), told as (
       update audit.streams s set parked_told_on = (select max(day) from first) from due
       where s.id = due.id and exists (select from first) returning s.id
     )
     insert into audit.entries (organization, event_type, session_type, metadata)
     select organization, 'audit_export.parked', 'system', jsonb_build_object('destination', $3::text,
       'entryId', entry_id, 'sequence', sequence, 'reason', reason, 'message', message)
     from first where exists (select from told) order by day`,
    [stream.id, stream.token, destination],
  );
}

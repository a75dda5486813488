/** Streams as the page shows them, and the replay that it requests. */
import type { LastError } from '../model/streamStatus.ts';
import { boundedRead } from './boundedRead.ts';
import { isEntryId } from './cursor.ts';
import { utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';

export interface StreamView {
  readonly streamId: string;
  readonly configKey: string;
  /** The number of the last settled entry. */
  readonly sequence: number;
  readonly delivered: number;
  readonly parked: number;
  /** Entries that receivers reported as rejected in a partial success. */
  readonly rejected: number;
  /** RFC 3339; null before the first. */
  readonly lastDeliveryAt: string | null;
  readonly lastError: LastError | null;
  /** RFC 3339: when it is tried again; null: it does not wait, or nobody has said yet. */
  readonly nextTryAt: string | null;
  /** A replica whose lease is valid has it. */
  readonly isHeld: boolean;
  /** RFC 3339: until when one had it; null: it is held, or nobody knows. */
  readonly heldUntil: string | null;
  /** RFC 3339: when this was so, by the database's clock. */
  readonly readAt: string;
}

/** A page that waits longer shows an old state meanwhile. */
const timeoutMs = 5_000;

export interface ParkedView {
  readonly sequence: number;
  readonly entryId: string;
  readonly eventType: string;
  /** RFC 3339. */
  readonly parkedAt: string;
  readonly reason: string;
  readonly httpStatus: number | null;
  readonly message: string;
  readonly replayRequested: boolean;
}

/**
 * The organization's streams of these configs; null: every stream it ever had, including those of deleted configs.
 *
 * @throws the database's error, including a timeout: the table may be locked.
 */
export async function readStreams(
  db: Database,
  organization: string,
  configKeys: readonly string[] | null = null,
): Promise<StreamView[]> {
  const rows = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<StreamView & { sequence: string; delivered: string; parked: string; rejected: string }>(
      `select s.id as "streamId", s.config_key as "configKey", s.sequence, s.delivered, s.rejected,
       (select count(*) from audit.parked p where p.stream = s.id) as parked,
       ${utcMilliseconds('s.last_delivery_at')} as "lastDeliveryAt", s.last_error as "lastError",
       ${utcMilliseconds('a.next_try_at')} as "nextTryAt", coalesce(r.expires_at > clock_timestamp(), false) as "isHeld",
       case when r.expires_at > clock_timestamp() then null else ${utcMilliseconds('coalesce(r.expires_at, s.released_at)')} end as "heldUntil",
       ${utcMilliseconds('clock_timestamp()')} as "readAt"
     from audit.streams s left join audit.replicas r on r.id = s.holder left join audit.stream_attempts a on a.stream = s.id
     where s.organization = $1 and s.replay_of is null and ($2::text[] is null or s.config_key = any ($2)) order by s.created_at, s.id`,
      [organization, configKeys],
    ),
  );
  return rows.map((row) => ({
    ...row,
    sequence: Number(row.sequence),
    delivered: Number(row.delivered),
    parked: Number(row.parked),
    rejected: Number(row.rejected),
  }));
}

/** Parked entries of one of the organization's streams in sequence order, after `afterSequence`. */
export async function listParked(
  db: Database,
  organization: string,
  streamId: string,
  limit: number,
  afterSequence = 0,
): Promise<ParkedView[]> {
  const result = await db.query<ParkedView & { sequence: string }>(
    `select p.sequence, p.entry_id::text as "entryId", coalesce(e.event_type, '') as "eventType",
       ${utcMilliseconds('p.parked_at')} as "parkedAt", p.reason, p.http_status as "httpStatus", p.message,
       p.replay_requested_at is not null as "replayRequested"
     from audit.parked p join audit.streams s on s.id = p.stream left join audit.entries e on e.id = p.entry_id
     where s.id::text = $1 and s.organization = $2 and p.sequence > $3 order by p.sequence limit $4`,
    [streamId, organization, afterSequence, limit],
  );
  return result.rows.map((row) => ({ ...row, sequence: Number(row.sequence) }));
}

/** Requests the replay of parked entries of one of the organization's streams: all, or one entry. Returns how many were newly requested. */
export async function requestReplay(
  db: Database,
  organization: string,
  streamId: string,
  entryId: string | null = null,
): Promise<number> {
  if (entryId !== null && !isEntryId(entryId)) return 0;
  const result = await db.query(
    `update audit.parked p set replay_requested_at = now() from audit.streams s
     where s.id = p.stream and s.id::text = $1 and s.organization = $2 and p.replay_requested_at is null
       and ($3::bigint is null or p.entry_id = $3)`,
    [streamId, organization, entryId],
  );
  return result.rowCount ?? 0;
}

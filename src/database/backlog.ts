/** How far behind a stream is, for people. It counts entries, so it runs rarely, with limits on entries and time. */
import type { StreamRow } from '../model/stream.ts';
import { boundedRead } from './boundedRead.ts';
import { endedSinceSettled, utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';
import { NotPrimaryError } from './primary.ts';

export interface Backlog {
  /**
   * Committed entries of the organization that are neither settled nor parked, including those that a filter leaves out; counted up
   * to `mostCounted`.
   */
  readonly pending: number;
  /** RFC 3339 `occurred_at` of the oldest entry counted; null if there are none. */
  readonly oldestOccurredAt: string | null;
  readonly parked: number;
}

/** Counting more takes too long: about 1 s per million. */
const mostCounted = 10_000_000;
const timeoutMs = 20_000;

/**
 * Null: there is no such stream, or another replica holds it.
 *
 * @throws NotPrimaryError when a standby answered, or the database's error, including a timeout: then nothing is known.
 */
export async function countBacklog(
  db: Database,
  stream: Pick<StreamRow, 'id' | 'token'>,
): Promise<Backlog | null> {
  const rows = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<Backlog & { pending: string; parked: string; found: boolean; primary: boolean }>(
      `with s as (select * from audit.streams where id = $1 and token = $2::bigint),
     past as (
       select e.xid, e.id, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
       where e.xid = any (${endedSinceSettled})
       union all
       select e.xid, e.id, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
       where e.xid >= (select pg_snapshot_xmax(settled) from s)),
     waiting as (
       select past.occurred_at from past, s
       where s.position_xid is null or (past.xid, past.id) > (s.position_xid, s.position_id)
         or not pg_visible_in_snapshot(past.xid, s.window_snapshot)
       limit ${mostCounted})
     select count(*) as pending, ${utcMilliseconds('min(occurred_at)')} as "oldestOccurredAt",
       (select count(*) from audit.parked where stream = $1) as parked,
       exists (select from s) as found, not pg_is_in_recovery() as primary
     from waiting`,
      [stream.id, stream.token],
    ),
  );
  const row = rows[0];
  if (!row?.primary) throw new NotPrimaryError();
  if (!row.found) return null;
  const { pending, oldestOccurredAt, parked } = row;
  return { pending: Number(pending), oldestOccurredAt, parked: Number(parked) };
}

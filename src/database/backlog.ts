/** How far behind a stream is, for people: counts entries, so it is asked seldom. */
import type { StreamRow } from '../model/stream.ts';
import { endedSinceSettled, utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';

export interface Backlog {
  /** Committed entries of the organization that are neither settled nor parked, those that a filter leaves out included. */
  readonly pending: number;
  /** RFC 3339 `occurred_at` of the oldest of them; null when there are none. */
  readonly oldestOccurredAt: string | null;
  readonly parked: number;
}

/** Reads every pending index entry: about 1 s a million. */
export async function countBacklog(db: Database, stream: Pick<StreamRow, 'id'>): Promise<Backlog> {
  const result = await db.query<{ pending: string; oldest: string | null; parked: string }>(
    `with s as (select * from audit.streams where id = $1),
     past as (
       select e.xid, e.id, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
       where e.xid = any (${endedSinceSettled})
       union all
       select e.xid, e.id, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
       where e.xid >= (select pg_snapshot_xmax(settled) from s))
     select count(*) as pending,
       ${utcMilliseconds('min(past.occurred_at)')} as oldest,
       (select count(*) from audit.parked where stream = $1) as parked
     from past, s
     where s.position_xid is null or (past.xid, past.id) > (s.position_xid, s.position_id)
       or not pg_visible_in_snapshot(past.xid, s.window_snapshot)`,
    [stream.id],
  );
  const row = result.rows[0];
  return {
    pending: Number(row?.pending ?? 0),
    oldestOccurredAt: row?.oldest ?? null,
    parked: Number(row?.parked ?? 0),
  };
}

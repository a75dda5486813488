/** One query that serves all streams of a replica, however many there are. */
import { endedSince, hasNewEntries, hasOtherCluster } from './fragments.ts';
import type { Database } from './pool.ts';
import { NotPrimaryError } from './primary.ts';

/** What a poll has seen; the next one looks only at what came after. */
export interface PollMark {
  readonly snapshot: string;
  /** Changes with the server, its cluster, and the clusters that the table is known to hold entries of. */
  readonly server: string;
  /** Streams that were ready: they are looked at until they are not, whatever came after. */
  readonly ready: readonly string[];
}

export interface PollResult {
  /** Ids of this replica's streams that have entries to deliver. */
  readonly ready: readonly string[];
  /** Ids of those that have parked entries to send again. */
  readonly parkedReplays: readonly string[];
  /** Ids of those with a replay of a range that nobody has taken yet. */
  readonly replays: readonly string[];
  readonly mark: PollMark;
  /** A replica has just released streams: claim now rather than at the next renewal. */
  readonly released: boolean;
}

/** So many new entries cost about as much to list as a thousand streams to look at. */
export const mostNewEntries = 10_000;

export const serverKey = `concat_ws(' ', pg_postmaster_start_time(), audit.cluster_id(), (select max(ordinal) from audit.clusters))`;

/**
 * A stream with a window counts as ready: its loop may not know of it, after a failover that lost the window's end. Two index probes
 * for each stream.
 */
const isReady = `s.holder = $1 and (s.window_snapshot is not null or ${hasOtherCluster} or ${hasNewEntries})`;

const common = `pg_is_in_recovery() as standby, pg_current_snapshot()::text as snapshot, ${serverKey} as server,
  array(select distinct p.stream::text from audit.parked p join audit.streams s on s.id = p.stream
    where p.replay_requested_at is not null and s.holder = $1) as "parkedReplays",
  array(select distinct r.replay_of::text from audit.streams r join audit.streams s on s.id = r.replay_of
    where r.replay_of is not null and r.replay_ended_at is null and r.token = 0 and s.holder = $1) as replays,
  exists (select from audit.streams where holder is null and released_at > now() - interval '20 seconds') as released`;

const lookAtAll = `select ${common}, array(select s.id::text from audit.streams s where ${isReady}) as ready, false as unsure`;

/** New entries by the index entries_by_xid, whose expressions these are. The order keeps Postgres to it, whatever its statistics say. */
export const newEntries = (xids: string): string => `(select e.organization from audit.entries e
  where e.cluster + 0 = audit.cluster_id() and greatest(e.xid, '0'::xid8) ${xids}
  order by greatest(e.xid, '0'::xid8) limit ${mostNewEntries})`;

/** Only the streams of organizations that have something new are looked at. */
const lookAtNew = `with new as materialized (
    select e.organization from unnest(${endedSince('$2::pg_snapshot')}) as ended(xid),
      lateral ${newEntries('between ended.xid and ended.xid')} as e
    union all
    ${newEntries('>= pg_snapshot_xmax($2::pg_snapshot)')}
    limit ${mostNewEntries})
  select ${common},
    array(select s.id::text from audit.streams s
      where s.organization = any (array(select distinct organization from new)) and ${isReady}
      union
      select s.id::text from audit.streams s where s.id = any ($4::uuid[]) and ${isReady}) as ready,
    ${serverKey} <> $3 or (select count(*) from new) = ${mostNewEntries} as unsure`;

/**
 * Which of the streams held by `replicaId` have entries past their snapshot, a replay to do, or a moved database?
 *
 * With the mark of the last poll its cost follows the number of new entries, not that of streams. Without one, or when the mark is of
 * another server, every stream is looked at.
 *
 * @throws NotPrimaryError if a standby answered: it may not have what the primary has.
 */
export async function pollStreams(
  db: Database,
  replicaId: string,
  last: PollMark | null,
): Promise<PollResult> {
  const found =
    last === null
      ? await ask(db, lookAtAll, [replicaId])
      : await ask(db, lookAtNew, [replicaId, last.snapshot, last.server, last.ready]);
  const { ready, parkedReplays, replays, snapshot, server, released, unsure } = found;
  if (unsure) return await pollStreams(db, replicaId, null);
  return { ready, parkedReplays, replays, released, mark: { snapshot, server, ready } };
}

interface Found
  extends Pick<PollResult, 'ready' | 'parkedReplays' | 'replays' | 'released'>,
    Pick<PollMark, 'snapshot' | 'server'> {
  readonly standby: boolean;
  /** The mark does not tell where to look. */
  readonly unsure: boolean;
}

async function ask(db: Database, statement: string, values: unknown[]): Promise<Found> {
  const result = await db.query<Found>(statement, values);
  const row = result.rows[0];
  if (!row) throw new Error('a select without from returned no row');
  if (row.standby) throw new NotPrimaryError();
  return row;
}

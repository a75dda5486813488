/**
 * Replays of a range: rows of audit.streams with an end. Asked for by audit.ask_replay, sent by whoever holds the stream that they
 * repeat, one after the other.
 *
 *   asked ──claim──► pin a window ──► deliver, settle, finish ──► next cluster … ──► ended
 *
 * Promises:
 *  - One window for each database cluster that the range has entries of, exact as every window: what was visible when it was counted.
 *  - Its bounds leave out what lies before the first and behind the last entry of the range, in the order of windows, so that a day out
 *    of years is read in the time of a day.
 */
import { errorCode } from '../basics/errorCode.ts';
import type { EntryFilter } from '../model/exportConfig.ts';
import type { Replay } from '../model/replay.ts';
import type { StreamRow, WindowFilter } from '../model/stream.ts';
import { boundedRead, isTimeout } from './boundedRead.ts';
import { filterCondition } from './filterCondition.ts';
import { filterJson, utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';
import { type RawStream, streamColumns, toStreamRow } from './streams.ts';
import { durable } from './window.ts';

/**
 * Select list of a `Replay` from a row `s` that is one. What has a number and was neither taken nor rejected is parked: the rows of
 * audit.parked go with their entries.
 */
const replayColumns = `jsonb_build_object('id', s.id, 'since', ${utcMicroseconds('s.replay_since')},
  'until', ${utcMicroseconds('s.replay_until')}, 'askedAt', ${utcMilliseconds('s.created_at')}, 'askedBy', s.replay_by,
  'endedAt', ${utcMilliseconds('s.replay_ended_at')}, 'canceledBy', s.replay_canceled_by, 'total', s.replay_total,
  'gone', coalesce(s.replay_gone, 0), 'delivered', s.delivered, 'rejected', s.rejected,
  'parked', s.sequence - s.delivered - s.rejected, 'lastError', s.last_error)`;

/** Exact, and readable by Postgres. */
function utcMicroseconds(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** After its end a replay is shown for so long. */
const shownFor = `interval '30 days'`;

export interface ClaimedReplay {
  readonly row: StreamRow;
  readonly replay: Replay;
}

/**
 * Takes the replay that comes next for the holder of `stream`, and fences off whoever had it before. Null: there is none, or the lease
 * is lost. Forgets those that ended a month ago.
 */
export async function claimReplay(
  db: Database,
  stream: { id: string; token: string },
): Promise<ClaimedReplay | null> {
  const result = await db.query<RawStream & { replay: Replay }>(
    `with old as (
       delete from audit.streams r where r.replay_of = $1 and r.replay_ended_at < now() - ${shownFor}
         and exists (select from audit.streams o where o.id = $1 and o.token = $2)
     )
     update audit.streams s set token = s.token + 1 from audit.streams o
     where o.id = $1 and o.token = $2 and s.replay_ended_at is null and s.id = (
       select r.id from audit.streams r where r.replay_of = $1 and r.replay_ended_at is null order by r.created_at, r.id limit 1)
     returning ${streamColumns}, ${replayColumns} as replay`,
    [stream.id, stream.token],
  );
  const [found] = result.rows;
  if (!found) return null;
  const { replay, ...raw } = found;
  return { row: toStreamRow(raw), replay };
}

/** The latest replays of an organization's stream, the newest first. */
export async function readReplays(db: Database, streamId: string, limit: number): Promise<Replay[]> {
  const result = await db.query<{ replay: Replay }>(
    `select ${replayColumns} as replay from audit.streams s
     where s.replay_of::text = $1 and coalesce(s.replay_ended_at > now() - ${shownFor}, true)
     order by s.created_at desc, s.id desc limit $2`,
    [streamId, limit],
  );
  return result.rows.map(({ replay }) => replay);
}

/** Where a claimed replay stands. */
export type ReplayPinned =
  | { readonly kind: 'pinned'; readonly stream: StreamRow; readonly total: number | null }
  /** The cluster has nothing of the range, or it was sent: ask again for the next. */
  | { readonly kind: 'moved'; readonly stream: StreamRow }
  | { readonly kind: 'ended' }
  | { readonly kind: 'lease-lost' };

/** `settled` of a row whose cluster was not looked at yet. */
const nothingVisible = '3:3:';

/** Pins the window of the cluster that the replay stands at, or moves on to the next one, or ends it. For a row without a window. */
export async function pinReplay(
  db: Database,
  row: StreamRow,
  { since, until }: Pick<Replay, 'since' | 'until'>,
  filter: EntryFilter,
): Promise<ReplayPinned> {
  const isSent = row.settled !== nothingVisible;
  const windowFilter: WindowFilter = { ...(JSON.parse(filterJson(filter)) as WindowFilter), since, until };
  const bounds = isSent ? null : await findBounds(db, row, windowFilter);
  if (bounds === null) return await moveOn(db, row);
  const result = await db.query<RawStream & { total: string | null }>(
    `with ${durable}
     update audit.streams s
     set settled = format('%1$s:%1$s:', $4::text)::pg_snapshot, window_pinned_at = clock_timestamp(), window_filter = $3::jsonb,
       replay_total = case when s.replay_total is not null or s.other_clusters = '{}' then coalesce(s.replay_total, 0) + $6::bigint end,
       window_snapshot = case when s.cluster <> audit.cluster_id() then format('%1$s:%1$s:', $5::text)::pg_snapshot
         else (select format('%s:%s:%s', least(pg_snapshot_xmin(now.at), $5::xid8), least(pg_snapshot_xmax(now.at), $5::xid8),
           array_to_string(array(select x from pg_snapshot_xip(now.at) x where x < $5::xid8 order by 1), ','))::pg_snapshot
           from (select coalesce($7::pg_snapshot, pg_current_snapshot()) as at) as now) end
     from durable
     where s.id = $1 and s.token = $2 and s.window_snapshot is null and s.replay_ended_at is null
     returning ${streamColumns}, s.replay_total::text as total`,
    [
      row.id,
      row.token,
      JSON.stringify(windowFilter),
      // Postgres reads no snapshot whose bounds end in 32 zero bits.
      readable(bounds.first, -1n).toString(),
      readable(bounds.last + 1n, 1n).toString(),
      bounds.total,
      bounds.seen,
    ],
  );
  const [pinned] = result.rows;
  if (!pinned) return { kind: 'lease-lost' };
  const { total, ...raw } = pinned;
  return { kind: 'pinned', stream: toStreamRow(raw), total: total === null ? null : Number(total) };
}

function readable(xid: bigint, step: bigint): bigint {
  return xid % 4_294_967_296n === 0n ? xid + step : xid;
}

interface Bounds {
  /** Transactions of the first and the last entry, in the order of windows. */
  readonly first: bigint;
  readonly last: bigint;
  /** null: not counted. */
  readonly total: number | null;
  /** The snapshot in which they were found: what comes in later is not of the replay. null: not counted. */
  readonly seen: string | null;
}

const countTimeoutMs = 30_000;
const firstXid = 3n;
const lastXid = 9_223_372_036_854_775_000n;

/** Null: the cluster has no entry of the range. */
async function findBounds(
  db: Database,
  { organization, cluster }: StreamRow,
  filter: WindowFilter,
): Promise<Bounds | null> {
  try {
    const [found] = await boundedRead(db, countTimeoutMs, (reader) =>
      reader.query<{ first: string | null; last: string | null; total: string; seen: string }>(
        `select pg_current_snapshot()::text as seen, min(e.xid::text::numeric)::text as first, max(e.xid::text::numeric)::text as last,
           count(*) filter (where ${filterCondition(filter)}) as total
         from audit.entries e
         where e.organization = $1 and e.cluster = $2 and e.occurred_at >= $3::timestamptz and e.occurred_at < $4::timestamptz`,
        [organization, cluster, filter.since, filter.until],
      ),
    );
    if (!found || found.first === null || found.last === null) return null;
    return {
      first: BigInt(found.first),
      last: BigInt(found.last),
      total: Number(found.total),
      seen: found.seen,
    };
  } catch (error) {
    if (!isTimeout(error)) throw error;
    // All of the log is read then, and what is dated otherwise left out.
    return { first: firstXid, last: lastXid, total: null, seen: null };
  }
}

async function moveOn(db: Database, row: StreamRow): Promise<ReplayPinned> {
  const result = await db.query<RawStream & { ended: boolean }>(
    `update audit.streams s
     set other_clusters = s.other_clusters || jsonb_build_object(s.cluster::text, s.settled::text),
       cluster = coalesce(next.system_identifier, s.cluster),
       settled = case when next.system_identifier is null then s.settled else '${nothingVisible}' end,
       replay_total = case when s.settled::text = '${nothingVisible}' and s.other_clusters = '{}' then 0 else s.replay_total end,
       replay_ended_at = case when next.system_identifier is null then clock_timestamp() end
     from audit.streams o left join lateral (
       select c.system_identifier from audit.clusters c
       where c.system_identifier <> o.cluster and not o.other_clusters ? c.system_identifier::text
       order by c.system_identifier = audit.cluster_id(), c.ordinal limit 1) as next on true
     where o.id = s.id and s.id = $1 and s.token = $2 and s.window_snapshot is null and s.replay_ended_at is null
     returning ${streamColumns}, s.replay_ended_at is not null as ended`,
    [row.id, row.token],
  );
  const [moved] = result.rows;
  if (!moved) return { kind: 'lease-lost' };
  const { ended, ...raw } = moved;
  return ended ? { kind: 'ended' } : { kind: 'moved', stream: toStreamRow(raw) };
}

export type ReplayAsked =
  | { readonly kind: 'asked'; readonly id: string }
  /** In one sentence. `mayPass`: the same may be granted later. */
  | { readonly kind: 'refused'; readonly problem: string; readonly mayPass: boolean };

/** Asks for a replay of one of the organization's streams, without an entry about it. @throws the database's error. */
export async function askReplay(
  db: Database,
  streamId: string,
  range: { readonly since: string; readonly until: string; readonly by: string },
): Promise<ReplayAsked> {
  return await asked(() =>
    db.query<{ id: string | null }>('select audit.ask_replay($1::uuid, $2, $3, $4, false) as id', [
      streamId,
      range.since,
      range.until,
      range.by,
    ]),
  );
}

/**
 * Asks for what the annotation of the stream's config says, once for each of its values, and tells the organization. Null: it was
 * acted on before, or the lease is lost.
 */
export async function askReplayOnce(
  db: Database,
  stream: { id: string; token: string },
  range: { readonly since: string; readonly until: string; readonly request: string },
): Promise<ReplayAsked | null> {
  const result = await asked(() =>
    db.query<{ id: string | null }>(
      `with noted as (
         update audit.streams set replay_request = $5 where id = $1 and token = $2 and replay_request is distinct from $5 returning id)
       select audit.ask_replay(noted.id, $3, $4, 'annotation auditexport.dev/replay', true) as id from noted`,
      [stream.id, stream.token, range.since, range.until, range.request],
    ),
  );
  return result.kind === 'asked' && result.id === '' ? null : result;
}

/** SQLSTATE of what the functions refuse; the message is a sentence for people. */
const invalidParameterValue = '22023';
/** Too many wait. */
const limitExceeded = '54000';

async function asked(ask: () => Promise<{ rows: { id: string | null }[] }>): Promise<ReplayAsked> {
  try {
    const result = await ask();
    return { kind: 'asked', id: result.rows[0]?.id ?? '' };
  } catch (error) {
    const code = errorCode(error);
    if (!(error instanceof Error) || (code !== invalidParameterValue && code !== limitExceeded)) throw error;
    return { kind: 'refused', problem: error.message, mayPass: code === limitExceeded };
  }
}

/** Ends a replay of one of the organization's streams where it is. False: it has ended, or there is none. */
export async function cancelReplay(
  db: Database,
  organization: string,
  replayId: string,
  by: string,
): Promise<boolean> {
  const result = await db.query(
    `update audit.streams set replay_ended_at = clock_timestamp(), replay_canceled_by = $3, token = token + 1
     where id::text = $1 and organization = $2 and replay_of is not null and replay_ended_at is null`,
    [replayId, organization, by],
  );
  return result.rowCount === 1;
}

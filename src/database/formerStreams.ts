/**
 * Streams of former configs: the same namespace, name and organization under another key, as after `kubectl replace --force`.
 * Nobody sends them, so what they had not delivered stays where it is, until the present config takes the stream over.
 */
import type { WindowFilter } from '../model/stream.ts';
import { boundedRead } from './boundedRead.ts';
import { filterCondition } from './filterCondition.ts';
import { endedSinceSettled, isUnheld } from './fragments.ts';
import type { Database } from './pool.ts';

export interface FormerStream {
  readonly id: string;
  /** Id of the stream that came after it. */
  readonly successor: string;
  readonly filter: WindowFilter | null;
}

export interface LeftEntries {
  /** Neither delivered nor parked, and from before the successor began; counted up to `mostCounted`. */
  readonly undelivered: number;
  readonly parked: number;
}

export type TakeOver =
  | { readonly kind: 'taken'; readonly id: string; readonly from: string }
  /** There is none, or it was taken over before, or the config's own stream began before it. */
  | { readonly kind: 'none' }
  /** A replica still sends it, or its row is locked: ask again. */
  | { readonly kind: 'busy' };

export const mostCounted = 1_000_000;
const timeoutMs = 20_000;

/** The time in `startFrom` of a stream, an SQL expression; null: it has none. */
const sinceOf = (s: string) =>
  `coalesce(${s}.starts_at, (select (f.filter ->> 'since')::timestamptz from audit.stream_filters f where f.stream = ${s}.id and f.number = 1))`;

/** From when on entries are a stream's. */
const beginOf = (s: string) =>
  `(select case when f.settled::text = '3:3:' then coalesce(${sinceOf(s)}, '-infinity') else ${s}.created_at end
   from audit.stream_filters f where f.stream = ${s}.id and f.number = 0)`;

/** True: what stream `a` has to deliver began before what `b` has, so that `b` has left nothing that does not go by `a`. */
const beganBefore = (a: string, b: string) => `coalesce(${beginOf(a)} < ${beginOf(b)}, false)`;

/** The latest former stream of each of these streams that has one, did not begin before it, and is not older than a month. */
export async function findFormerStreams(db: Database, ids: readonly string[]): Promise<FormerStream[]> {
  const result = await db.query<FormerStream>(
    `select former.id, n.id as successor, former.filter
     from audit.streams n cross join lateral (
       select s.id, coalesce(s.window_filter, s.latest_filter) as filter, ${isUnheld} and not ${beganBefore('n', 's')} as free from audit.streams s
       where s.organization = n.organization and s.destination = n.destination and s.config_key <> n.config_key
         and s.created_at < n.created_at
       order by s.created_at desc limit 1) as former
     where n.id = any ($1::uuid[]) and n.taken_over_from is null and n.created_at > now() - interval '30 days' and former.free`,
    [ids],
  );
  return result.rows;
}

/** Counts what it has left. @throws the database's error, including a timeout. */
export async function countLeft(db: Database, { id, successor, filter }: FormerStream): Promise<LeftEntries> {
  const passes = filter === null ? 'true' : filterCondition(filter);
  const [row] = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<{ undelivered: string; parked: string }>(
      `with s as (select * from audit.streams where id = $1),
       start as (
         select case when f.cluster = s.cluster then f.settled
           else coalesce(f.other_clusters ->> s.cluster::text, '3:3:')::pg_snapshot end as seen, ${sinceOf('n')} as since
         from audit.stream_filters f join audit.streams n on n.id = f.stream, s where f.stream = $2 and f.number = 0),
       past as (
         select e.xid, e.id, e.event_type, e.project, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
         where e.xid = any (${endedSinceSettled})
         union all
         select e.xid, e.id, e.event_type, e.project, e.occurred_at from s join audit.entries e on e.organization = s.organization and e.cluster = s.cluster
         where e.xid >= (select pg_snapshot_xmax(settled) from s)),
       left_over as (
         select from past, s, start
         where (pg_visible_in_snapshot(past.xid, start.seen) or past.occurred_at < start.since) and (s.position_xid is null
             or (past.xid, past.id) > (s.position_xid, s.position_id) or not pg_visible_in_snapshot(past.xid, s.window_snapshot))
           and ${passes}
         limit ${mostCounted})
       select count(*) as undelivered, (select count(*) from audit.parked where stream = $1) as parked from left_over`,
      [id, successor],
    ),
  );
  return { undelivered: Number(row?.undelivered ?? 0), parked: Number(row?.parked ?? 0) };
}

/**
 * Gives the latest former stream to this config, with position, numbers and parked entries, in place of a stream that the config may
 * have already: what that has delivered since is delivered again by the one that goes on, since nothing says that it was. Not in
 * place of one that began before the former did: it delivers what that has left, and what came before that would be lost. Once for
 * each config, whatever replicas ask: the former key is noted with the row. Whoever still has the former stream in hand is fenced
 * off by the token.
 */
export async function takeOverStream(
  db: Database,
  to: { readonly configKey: string; readonly organization: string; readonly destination: string },
): Promise<TakeOver> {
  const result = await db.query<{ id: string | null; from: string | null; exists: boolean }>(
    `with latest as (
       select s.id from audit.streams s
       where s.organization = $2 and s.destination = $3 and s.config_key <> $1
         and not exists (select from audit.streams c
           where c.config_key = $1 and c.organization = $2 and c.taken_over_from is not null)
       order by s.created_at desc limit 1
     ), wanted as (
       select s.id from audit.streams s join latest using (id)
       where not exists (select from audit.streams c
         where c.config_key = $1 and c.organization = $2 and ${beganBefore('c', 's')})
     ), locked as (
       select s.id from audit.streams s join wanted using (id)
       where s.config_key <> $1 and ${isUnheld} for update of s skip locked
     ), gone as (
       delete from audit.streams c using locked where c.config_key = $1 and c.organization = $2 returning c.config
     ), taken as (
       -- The count makes sure that the row is gone before its key is used again.
       update audit.streams s
       set config_key = $1, taken_over_from = s.config_key, holder = null, token = s.token + 1, released_at = now(),
         config = coalesce(gone.config, s.config || case when s.config ? 'fields' then '{"generation": null}' else '{}' end::jsonb)
       from locked, (select count(*), (array_agg(config))[1] as config from gone) as gone
       where s.id = locked.id returning s.id, s.taken_over_from
     )
     select taken.id, taken.taken_over_from as from, exists (select from wanted) as exists
     from (select) as one left join taken on true`,
    [to.configKey, to.organization, to.destination],
  );
  const [row] = result.rows;
  if (row?.id && row.from) return { kind: 'taken', id: row.id, from: row.from };
  return { kind: row?.exists ? 'busy' : 'none' };
}

/**
 * A database that was dumped and restored elsewhere: transaction ids start over, so each cluster is read separately.
 *
 * Every entry records the cluster it was written in. Entries of a cluster other than the present one are all committed,
 * and the stream's old `settled` still says which of them are done. So: pin one last window over what is left of the
 * old cluster, deliver it, record the cluster as done, continue with the next one.
 *
 * A cluster that appears later (entries that were imported before any collector looked) is visited once in the same way. Entries
 * of another cluster that arrive while streams read this one are recorded as written now, by a trigger of the
 * migrations.
 */

import type { EntryFilter } from '../model/exportConfig.ts';
import type { StreamRow } from '../model/stream.ts';
import { filterJson, hasNewEntries } from './fragments.ts';
import type { Database } from './pool.ts';

/** A snapshot past the last transaction of a row `o`'s organization in its cluster. Postgres reads none whose low 32 bits are 0. */
export const pastLastTransaction = `(
  select format('%1$s:%1$s:', n + case when n % 4294967296 = 0 then 1 else 0 end) as snapshot
  from (select e.xid::text::numeric + 1 as n from audit.entries e
    where e.organization = o.organization and e.cluster = o.cluster order by e.xid desc limit 1) as past)`;

/** The cluster that a row `o` reads next; from the present one only one that was never visited, and back afterwards. */
export const nextCluster = `(
  select c.system_identifier from audit.clusters c
  where c.system_identifier <> o.cluster
    and (c.system_identifier = audit.cluster_id() or not o.other_clusters ? c.system_identifier::text)
  order by c.system_identifier = audit.cluster_id(), c.ordinal limit 1)`;

/** Moves a row `s` into the cluster `next`. */
export const intoNextCluster = `
  other_clusters = s.other_clusters || jsonb_build_object(s.cluster::text, s.settled::text),
  cluster = next.system_identifier,
  settled = coalesce(s.other_clusters ->> next.system_identifier::text, '3:3:')::pg_snapshot`;

/**
 * Takes one step towards the present cluster, for a stream without a window: either pins the last window of the
 * cluster it is in, or moves on to the next cluster. The caller reads the row again. False: the lease is lost.
 */
export async function moveCluster(
  db: Database,
  stream: Pick<StreamRow, 'id' | 'token' | 'organization'>,
  filter: EntryFilter,
): Promise<boolean> {
  await registerClusters(db, [stream.organization]);
  const key = [stream.id, stream.token];
  const pinned = await db.query(
    `update audit.streams s
     set window_snapshot = last.snapshot::pg_snapshot, window_pinned_at = clock_timestamp(),
       window_filter = $3::jsonb
         || case when s.starts_at is null then '{}' else jsonb_build_object('since', s.starts_at) end
     from audit.streams o, lateral ${pastLastTransaction} as last
     where o.id = s.id and s.id = $1 and s.token = $2 and s.window_snapshot is null
       and s.cluster <> audit.cluster_id() and ${hasNewEntries}
     returning 1`,
    [...key, filterJson(filter)],
  );
  if (pinned.rowCount === 1) return true;

  const moved = await db.query(
    `update audit.streams s
     set ${intoNextCluster}
     from audit.streams o, lateral ${nextCluster} as next
     where o.id = s.id and s.id = $1 and s.token = $2 and s.window_snapshot is null
     returning 1`,
    key,
  );
  return moved.rowCount === 1;
}

/**
 * Records the present cluster, and first any other cluster whose entries of these organizations are in the table: a few index
 * probes each.
 */
export async function registerClusters(db: Database, organizations: readonly string[]): Promise<void> {
  await db.query(
    `with recursive walk (organization, cluster) as (
       select o.organization, (select e.cluster from audit.entries e
         where e.organization = o.organization order by e.cluster limit 1)
       from unnest($1::text[]) as o(organization)
       union all
       select w.organization, (select e.cluster from audit.entries e
         where e.organization = w.organization and e.cluster > w.cluster order by e.cluster limit 1)
       from walk w where w.cluster is not null
     ), found as (
       select w.cluster, min((select e.id from audit.entries e
         where e.organization = w.organization and e.cluster = w.cluster order by e.xid, e.id limit 1)) as first
       from walk w where w.cluster is not null group by w.cluster)
     insert into audit.clusters (system_identifier)
     select n.cluster from (
       select f.cluster, f.first from found f where f.cluster <> audit.cluster_id()
       union all select audit.cluster_id(), 9223372036854775807) as n
     where not exists (select from audit.clusters c where c.system_identifier = n.cluster)
     order by n.first
     on conflict do nothing`,
    [organizations],
  );
}

/**
 * The filter "not delivered to": entries that at least one of some streams has not delivered, because it is parked there or pending. Says
 * what deliveries.ts says of one entry, but knows no filter and no start: what those leave out is listed until the stream comes to it.
 * Entries that a receiver rejected without naming them count as delivered, as they do everywhere.
 */
import type { EntryFilter } from './entryFilter.ts';
import { organizationClusters } from './organizationClusters.ts';

/** What a stream `s` has settled of the cluster `of`; null: nothing. */
const settledOf = (of: string): string =>
  `case when s.cluster = ${of} then s.settled else (s.other_clusters ->> ${of}::text)::pg_snapshot end`;

/** Streams are given by the keys of their configs. */
export const undelivered: EntryFilter<readonly string[]> = {
  none: [],
  condition: (keys, parameters) => `exists (select from audit.streams s
    where s.organization = e.organization and s.config_key = any (${parameters.add(keys, 'text[]')}) and (
      exists (select from audit.parked p where p.stream = s.id and p.entry_id = e.id)
      or not exists (select from audit.replayed r where r.stream = s.id and r.entry_id = e.id)
        and not coalesce(pg_visible_in_snapshot(e.xid, ${settledOf('e.cluster')}), false)
        and not coalesce(s.cluster = e.cluster and pg_visible_in_snapshot(e.xid, s.window_snapshot)
          and (e.xid, e.id) <= (s.position_xid, s.position_id), false)))`,
  needles: () => [],
  /** Parked, or beyond what is settled: the same two stretches of the index as a window is read from. */
  ids: (keys, { organization, most }, parameters) => {
    const org = parameters.add(organization, 'text');
    const limit = parameters.add(most, 'int');
    const beyond = (xids: string): string => `select e.id from audit.entries e
         where e.organization = ${org} and e.cluster = b.cluster and ${xids}`;
    return `with recursive ${organizationClusters(org)},
     chosen as (select * from audit.streams s where s.organization = ${org} and s.config_key = any (${parameters.add(keys, 'text[]')})),
     bounds as (select c.cluster, coalesce(${settledOf('c.cluster')}, '1:1:') as settled from chosen s, clusters c)
     select p.entry_id as id from chosen s, lateral (select p.entry_id from audit.parked p where p.stream = s.id limit ${limit}) p
     union
     select p.id from bounds b, lateral (
       (${beyond('e.xid = any (array(select pg_snapshot_xip(b.settled)))')} limit ${limit})
       union all
       (${beyond('e.xid >= pg_snapshot_xmax(b.settled)')} limit ${limit})) p`;
  },
};

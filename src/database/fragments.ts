/** SQL fragments about a stream `s`, and values, that several queries share. */
import type { EntryFilter } from '../model/exportConfig.ts';
import { ownEventTypes } from '../model/ownEvents.ts';

/** Transactions of the snapshot's list that have ended since. Open ones are left out: their uncommitted rows would be read over and over. */
export function endedSince(snapshot: string): string {
  return `array(select x from pg_snapshot_xip(${snapshot}) x where pg_visible_in_snapshot(x, pg_current_snapshot()))`;
}

/** The same of a stream's `settled`; in an old cluster nothing is open any more. */
export const endedSinceSettled = `array(
  select x from pg_snapshot_xip(s.settled) x
  where s.cluster <> audit.cluster_id() or pg_visible_in_snapshot(x, pg_current_snapshot()))`;

/**
 * True if the stream has entries past `settled`. Two index probes and never an OR inside one: with an OR Postgres scans the organization's
 * whole history. The order of each keeps it to the index of the stream, also where one transaction wrote most of an organization.
 */
export const hasNewEntries = `(
  exists (select from unnest(${endedSinceSettled}) as ended(xid), lateral (
    select from audit.entries e
    where e.organization = s.organization and e.cluster = s.cluster and e.xid between ended.xid and ended.xid
    order by e.xid, e.id limit 1) as e)
  or (select e.xid from audit.entries e where e.organization = s.organization and e.cluster = s.cluster
    order by e.xid desc, e.id desc limit 1) >= pg_snapshot_xmax(s.settled))`;

/**
 * True if the stream has something to read in a cluster other than its present one: the database was moved, or holds
 * entries of a cluster that the stream has never read.
 */
export const hasOtherCluster = `(s.cluster <> audit.cluster_id() or exists (select from audit.clusters c
  where c.system_identifier <> s.cluster and not s.other_clusters ? c.system_identifier::text))`;

/** A filter as `window_filter` keeps it (WindowFilter). */
export function filterJson({ eventTypes, excludeEventTypes, projects }: EntryFilter): string {
  const isEmpty = eventTypes.length + excludeEventTypes.length + projects.length === 0;
  return JSON.stringify({
    eventTypes,
    excludeEventTypes,
    projects,
    ...(isEmpty ? {} : { passesOwn: ownEventTypes }),
  });
}

/** A timestamptz column as RFC 3339 in UTC. */
export function utcMilliseconds(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** True for a stream `s` that no live replica sends. */
export const isUnheld =
  'not exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp())';

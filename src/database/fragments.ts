/** SQL fragments about a stream `s`, and values, that several queries share. */
import type { EntryFilter } from '../model/exportConfig.ts';

/**
 * Transactions of `settled`'s list that have ended since. Open ones are left out, so that their uncommitted
 * rows are not read over and over; in an old cluster nothing is open any more.
 */
export const endedSinceSettled = `array(
  select x from pg_snapshot_xip(s.settled) x
  where s.cluster <> audit.cluster_id() or pg_visible_in_snapshot(x, pg_current_snapshot()))`;

/**
 * True if the stream has entries past `settled`. Two index probes and never an OR inside one: with an OR Postgres
 * scans the organization's whole history.
 */
export const hasNewEntries = `(
  exists (select from audit.entries e
    where e.organization = s.organization and e.cluster = s.cluster and e.xid = any (${endedSinceSettled}))
  or exists (select from audit.entries e
    where e.organization = s.organization and e.cluster = s.cluster and e.xid >= pg_snapshot_xmax(s.settled)))`;

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
    ...(isEmpty ? {} : { passesOwn: true }),
  });
}

/** A timestamptz column as RFC 3339 in UTC. */
export function utcMilliseconds(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** True for a stream `s` that no live replica sends. */
export const isUnheld =
  'not exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp())';

/** Rows of audit.streams: made once per config and organization, read back with each lease. */
import type { StartFrom } from '../model/exportConfig.ts';
import type { StreamRow } from '../model/stream.ts';
import type { LastError } from '../model/streamStatus.ts';
import { registerClusters } from './clusters.ts';
import { utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';
import { NotPrimaryError } from './primary.ts';

/** Select list that `toStreamRow` reads. */
export const streamColumns = `
  s.id, s.config_key as "configKey", s.organization, s.cluster::text, s.settled::text,
  case when s.window_snapshot is not null then jsonb_build_object('snapshot', s.window_snapshot::text,
    'pinnedAtMicros', (extract(epoch from s.window_pinned_at) * 1000000)::bigint, 'filter', s.window_filter) end as "window",
  s.position_xid::text, s.position_id::text, s.sequence::text, s.token::text, s.delivered::text, s.rejected::text,
  ${utcMilliseconds('s.last_delivery_at')} as "lastDeliveryAt", s.last_error as "lastError", s.outage,
  s.last_record as "lastRecord"`;

/** A row as `streamColumns` selects it. */
export interface RawStream extends Omit<StreamRow, 'position' | 'sequence' | 'delivered' | 'rejected'> {
  readonly position_xid: string | null;
  readonly position_id: string | null;
  readonly sequence: string;
  readonly delivered: string;
  readonly rejected: string;
}

export function toStreamRow({ position_xid: xid, position_id: id, ...row }: RawStream): StreamRow {
  return {
    ...row,
    position: xid === null || id === null ? null : { xid: BigInt(xid), id: BigInt(id) },
    sequence: Number(row.sequence),
    delivered: Number(row.delivered),
    rejected: Number(row.rejected),
  };
}

export interface StreamRequest {
  readonly configKey: string;
  readonly organization: string;
  /** NAMESPACE.NAME, as entries name it. Absent: unknown, so that the stream goes with no other of the name. */
  readonly destination?: string;
  readonly startFrom: StartFrom;
  /** What its status is to say from the start: it is made again after its row was lost. */
  readonly lastError?: LastError;
}

export interface EnsuredStream {
  readonly id: string;
  /** It was not there before, as far as this statement can tell. */
  readonly isNew: boolean;
}

/**
 * Makes the streams that are missing; `startFrom` counts only then. Returns them in the order asked.
 *
 * `Now` starts at the current snapshot: a transaction open at this moment is delivered when it commits, and so is the page's own
 * entry that the destination was created, if it is there already (`startNow`). The other two start before everything, in the
 * first cluster that the table knows.
 */
export async function ensureStreams(
  db: Database,
  requests: readonly StreamRequest[],
): Promise<EnsuredStream[]> {
  const keys = requests.map((r) => r.configKey);
  const organizations = requests.map((r) => r.organization);
  const destinations = requests.map((r) => r.destination ?? null);
  const find = `
    select s.id, s.destination is distinct from coalesce(r.destination, s.destination) as renamed
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality as r(config_key, organization, destination, n)
    left join audit.streams s using (config_key, organization) order by n`;
  const names = [keys, organizations, destinations];
  const found = await db.query<{ id: string | null; renamed: boolean }>(find, names);
  if (found.rows.some(({ id, renamed }) => id !== null && renamed)) await nameStreams(db, names);
  const isMissing = found.rows.map((row) => row.id === null);
  if (!isMissing.includes(true)) return found.rows.map((row) => ({ id: row.id ?? '', isNew: false }));

  await registerClusters(db, [...new Set(organizations)]);
  await db.query(
    `insert into audit.streams (config_key, organization, destination, cluster, settled, other_clusters, starts_at, last_error)
     select r.config_key, r.organization, r.destination,
       case when r.start = 'now' then audit.cluster_id() else first.system_identifier end,
       case when r.start = 'now' then ${startNow} else '3:3:' end,
       case when r.start = 'now' then
         (select coalesce(jsonb_object_agg(c.system_identifier, $6::text), '{}')
          from audit.clusters c where c.system_identifier <> audit.cluster_id())
       else '{}' end,
       r.starts_at, r.last_error
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $7::jsonb[])
         as r(config_key, organization, destination, start, starts_at, last_error),
       (select system_identifier from audit.clusters
         order by system_identifier = audit.cluster_id(), ordinal limit 1) as first
     -- Replicas that make the same ones take their locks in the same order.
     order by r.organization, r.config_key
     on conflict (config_key, organization) do nothing`,
    [
      ...names,
      requests.map((r) => r.startFrom.kind),
      requests.map((r) => (r.startFrom.kind === 'time' ? r.startFrom.time : null)),
      everythingVisible,
      requests.map((r) => (r.lastError ? JSON.stringify(r.lastError) : null)),
    ],
  );
  const made = await db.query<{ id: string | null }>(find, names);
  return made.rows.map((row, i) => {
    if (row.id === null) throw new NotPrimaryError();
    return { id: row.id, isNew: isMissing[i] === true };
  });
}

/**
 * The current snapshot; or, if the entry `audit_export.created` of the destination of `r` is there already, what of it came before that
 * one's transaction: then this entry is the stream's first, and what was committed between the two follows, since people were told
 * that every new entry is sent. The page writes that entry right after the config, so it can be there before the stream is or come
 * afterwards; one that is older than a former stream of the name, give
 * or take the time that a save takes, or than its deletion, was that one's.
 */
const startNow = `(
  select format('%s:%s:%s', least(pg_snapshot_xmin(now.at), created.xid), coalesce(created.xid, pg_snapshot_xmax(now.at)),
    array_to_string(array(select x from pg_snapshot_xip(now.at) as x where created.xid is null or x < created.xid order by 1),
      ','))::pg_snapshot
  from (select pg_current_snapshot() as at) as now left join lateral (
    select e.xid from (
      select e.xid, e.cluster, e.occurred_at, e.event_type from audit.entries e
      where e.organization = r.organization and e.event_type in ('audit_export.created', 'audit_export.deleted', 'audit_export.config_deleted')
        and e.occurred_at > now() - interval '15 minutes' and e.metadata ->> 'destination' = r.destination
      order by e.occurred_at desc, e.id desc limit 1) as e
    where e.event_type = 'audit_export.created' and e.cluster = audit.cluster_id() and e.xid < pg_snapshot_xmax(now.at)
      and not exists (select from audit.streams s where s.organization = r.organization and s.destination = r.destination
        and s.created_at > e.occurred_at - interval '10 seconds'
        and not exists (select from audit.entries d where d.organization = r.organization
          and d.event_type = 'audit_export.deleted' and d.metadata ->> 'destination' = r.destination
          and d.occurred_at between s.created_at and e.occurred_at))
  ) as created on true)`;

/** Names streams of before their rows had a name. Waits for no lock: the next start names those that are left. */
async function nameStreams(db: Database, names: readonly unknown[]): Promise<void> {
  await db.query(
    `update audit.streams s set destination = locked.wanted from (
       select s.id, r.destination as wanted from unnest($1::text[], $2::text[], $3::text[]) as r(config_key, organization, destination)
       join audit.streams s using (config_key, organization)
       where s.destination is distinct from r.destination and r.destination is not null
       for update of s skip locked) as locked
     where s.id = locked.id`,
    [...names],
  );
}

/** A snapshot in which every transaction is visible: "done with this cluster". Largest value pg_snapshot reads. */
const everythingVisible = '9223372036854775807:9223372036854775807:';

/**
 * The row as it stands, if `token` still holds it; null when another replica has the lease, or the row is gone. Locked for
 * share, which a standby refuses: it may not have the row as the primary has it.
 */
export async function loadStream(db: Database, id: string, token: string): Promise<StreamRow | null> {
  const result = await db.query<RawStream>(
    `select ${streamColumns} from audit.streams s where s.id = $1 and s.token = $2 for share`,
    [id, token],
  );
  const raw = result.rows[0];
  return raw ? toStreamRow(raw) : null;
}

/** Keeps the latest failure (or its resolution) with the stream. False: the lease is lost. */
export async function saveLastError(
  db: Database,
  stream: { id: string; token: string },
  lastError: LastError,
): Promise<boolean> {
  const result = await db.query(`update audit.streams set last_error = $3 where id = $1 and token = $2`, [
    stream.id,
    stream.token,
    JSON.stringify(lastError),
  ]);
  return result.rowCount === 1;
}

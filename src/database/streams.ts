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
  ${utcMilliseconds('s.last_delivery_at')} as "lastDeliveryAt", s.last_error as "lastError", s.outage`;

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
  readonly startFrom: StartFrom;
  /** What its status is to say from the start: it is made again after its row was lost. */
  readonly lastError?: LastError;
}

/**
 * Makes the streams that are missing; `startFrom` counts only then. Returns the id of each, in the order asked.
 *
 * `Now` starts at the current snapshot: a transaction open at this moment is delivered when it commits. The other two
 * start before everything, in the first cluster that the table knows.
 */
export async function ensureStreams(db: Database, requests: readonly StreamRequest[]): Promise<string[]> {
  const keys = requests.map((r) => r.configKey);
  const organizations = requests.map((r) => r.organization);
  const find = `
    select s.id from unnest($1::text[], $2::text[]) with ordinality as r(config_key, organization, n)
    left join audit.streams s using (config_key, organization) order by n`;
  const found = await db.query<{ id: string | null }>(find, [keys, organizations]);
  if (!found.rows.some((row) => row.id === null)) return found.rows.map((row) => row.id ?? '');

  await registerClusters(db, [...new Set(organizations)]);
  await db.query(
    `insert into audit.streams (config_key, organization, cluster, settled, other_clusters, starts_at, last_error)
     select r.config_key, r.organization,
       case when r.start = 'now' then audit.cluster_id() else first.system_identifier end,
       case when r.start = 'now' then pg_current_snapshot() else '3:3:' end,
       case when r.start = 'now' then
         (select coalesce(jsonb_object_agg(c.system_identifier, $5::text), '{}')
          from audit.clusters c where c.system_identifier <> audit.cluster_id())
       else '{}' end,
       r.starts_at, r.last_error
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $6::jsonb[]) as r(config_key, organization, start, starts_at, last_error),
       (select system_identifier from audit.clusters
         order by system_identifier = audit.cluster_id(), ordinal limit 1) as first
     on conflict (config_key, organization) do nothing`,
    [
      keys,
      organizations,
      requests.map((r) => r.startFrom.kind),
      requests.map((r) => (r.startFrom.kind === 'time' ? r.startFrom.time : null)),
      everythingVisible,
      requests.map((r) => (r.lastError ? JSON.stringify(r.lastError) : null)),
    ],
  );
  const made = await db.query<{ id: string | null }>(find, [keys, organizations]);
  return made.rows.map((row) => {
    if (row.id === null) throw new NotPrimaryError();
    return row.id;
  });
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

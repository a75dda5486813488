/**
 * Leases: who sends which stream. A replica's one row in audit.replicas, with its expiry by the database's clock, is the lease
 * on every stream that names it, so a replica with a thousand streams renews by one update.
 */
import type { StreamRow } from '../model/stream.ts';
import type { Database } from './pool.ts';
import { type RawStream, streamColumns, toStreamRow } from './streams.ts';

export interface Replica {
  readonly id: string;
  /** For people: host name or pod name. */
  readonly name: string;
}

export interface LeaseView {
  /** Replicas whose lease has not expired and that want the same streams, this one included. */
  readonly liveReplicas: number;
  /** Streams that name this replica, with the token that each has now. */
  readonly held: ReadonlyMap<string, string>;
}

/** Renews this replica's lease for `durationMs` and returns what it covers. `wants` identifies the set of configs it knows. */
export async function renewLease(
  db: Database,
  replica: Replica,
  wants: string,
  durationMs: number,
): Promise<LeaseView> {
  const result = await db.query<{ others: string; ids: string[]; tokens: string[] }>(
    `with renewed as (
       insert into audit.replicas (id, name, wants, expires_at)
       values ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')
       on conflict (id) do update set expires_at = excluded.expires_at, wants = excluded.wants)
     select (select count(*) from audit.replicas where id <> $1 and wants = $3 and expires_at > clock_timestamp()) as others,
       coalesce(array_agg(id::text), '{}') as ids, coalesce(array_agg(token::text), '{}') as tokens
     from audit.streams where holder = $1`,
    [replica.id, replica.name, wants, durationMs],
  );
  const row = result.rows[0];
  const held = new Map(row?.ids.map((id, i) => [id, row.tokens[i] ?? '']));
  return { liveReplicas: 1 + Number(row?.others ?? 0), held };
}

/**
 * Takes up to `limit` of the `wanted` streams that nobody holds, or whose holder's lease has expired. The token rises,
 * so whatever the old holder still has in hand can move nothing.
 */
export async function claimStreams(
  db: Database,
  replicaId: string,
  wanted: readonly string[],
  limit: number,
): Promise<StreamRow[]> {
  if (limit <= 0 || wanted.length === 0) return [];
  const result = await db.query<RawStream>(
    `with free as (
       select s.id from audit.streams s
       where s.id = any ($2::uuid[]) and s.holder is distinct from $1
         and not exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp())
       order by s.id limit $3 for update skip locked
     )
     -- Its config is there, whatever was noted when it went.
     update audit.streams s set holder = $1, token = s.token + 1, released_at = null,
       config = case when s.config ? 'deleted' then s.config - 'deleted' else s.config end
     from free where s.id = free.id
     returning ${streamColumns}, exists (select from audit.streams r where r.replay_of = s.id) as "hasReplays"`,
    [replicaId, wanted, limit],
  );
  const parked = await countParked(
    db,
    result.rows.map(({ id }) => id),
  );
  return result.rows.map((raw) => ({ ...toStreamRow(raw), parked: parked.get(raw.id) ?? 0 }));
}

/** A statement of its own: that of the claim does not see what the old holder parked while it waited for the row. */
async function countParked(db: Database, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await db.query<{ stream: string; parked: number }>(
    'select stream, count(*)::int as parked from audit.parked where stream = any ($1::uuid[]) group by stream',
    [ids],
  );
  return new Map(rows.map(({ stream, parked }) => [stream, parked]));
}

/** Lets go of streams whose loops have ended; another replica may take them at once. */
export async function releaseStreams(db: Database, replicaId: string, ids: readonly string[]): Promise<void> {
  await db.query(
    `update audit.streams set holder = null, token = token + 1, released_at = now()
     where holder = $1 and id = any ($2::uuid[])`,
    [replicaId, ids],
  );
}

/**
 * Whether a collector that wants the same streams holds a lease: it knows how they fare. One with other configs, which shares the
 * database, does not. False when that cannot be asked.
 */
export async function isAnyReplicaLive(db: Database, wants: string): Promise<boolean> {
  try {
    const result = await db.query<{ live: boolean }>(
      'select exists (select from audit.replicas where wants = $1 and expires_at > clock_timestamp()) as live',
      [wants],
    );
    return result.rows[0]?.live === true;
  } catch {
    // No such table yet, no right to read it, or no database: whoever asks has reported that.
    return false;
  }
}

/** A clean stop: lets go of every stream and of the lease itself. */
export async function endLease(db: Database, replicaId: string): Promise<void> {
  await db.query(
    `update audit.streams set holder = null, token = token + 1, released_at = now() where holder = $1`,
    [replicaId],
  );
  await db.query(`delete from audit.replicas where id = $1`, [replicaId]);
}

/**
 * Ends the lease of an earlier process of the same name (a restarted container), so that its streams need not wait for
 * the expiry. Safe even if that process still lives: its tokens are void, and it renews its lease within seconds. Also forgets
 * replicas that have been dead for a day.
 */
export async function endPredecessorsLease(db: Database, replica: Replica): Promise<void> {
  await db.query(
    `delete from audit.replicas
     where (name = $1 and id <> $2) or expires_at < clock_timestamp() - interval '1 day'`,
    [replica.name, replica.id],
  );
}

export interface Unclaimed {
  /** Their rows are gone: a restore, or somebody deleted them. */
  readonly gone: readonly string[];
  /** Nobody holds them whose lease is valid, and yet this replica could not take them. */
  readonly unheld: readonly string[];
}

/** Finds out why a claim did not bring these streams. It is a write that changes nothing, so that no standby answers it. */
export async function findUnclaimed(db: Database, ids: readonly string[]): Promise<Unclaimed> {
  const result = await db.query<{ id: string; gone: boolean }>(
    `with primary_only as (update audit.replicas set name = name where false)
     select w.id, s.id is null as gone from unnest($1::uuid[]) as w(id) left join audit.streams s on s.id = w.id
     where s.id is null
       or not exists (select from audit.replicas r where r.id = s.holder and r.expires_at > clock_timestamp())`,
    [ids],
  );
  const idsOf = (gone: boolean): string[] =>
    result.rows.filter((row) => row.gone === gone).map((row) => row.id);
  return { gone: idsOf(true), unheld: idsOf(false) };
}

/** Parked entries, and their replay. */
import type { Refusal, StreamRow } from '../model/stream.ts';
import type { Database } from './pool.ts';

export interface ReplayEntry {
  readonly sequence: number;
  readonly entryId: bigint;
  readonly observedAtMicros: number;
}

/** The parked entries of a stream whose replay was requested, at most `limit`, in sequence order. */
export async function listReplays(
  db: Database,
  stream: Pick<StreamRow, 'id'>,
  limit: number,
): Promise<ReplayEntry[]> {
  const requested = await db.query<{ sequence: string; entry_id: string; observed: string }>(
    `select sequence::text, entry_id::text, (extract(epoch from observed_at) * 1000000)::bigint::text as observed
     from audit.parked where stream = $1 and replay_requested_at is not null order by sequence limit $2`,
    [stream.id, limit],
  );
  return requested.rows.map((row) => ({
    sequence: Number(row.sequence),
    entryId: BigInt(row.entry_id),
    observedAtMicros: Number(row.observed),
  }));
}

/** Records that the receiver accepted them: they are delivered and no longer parked. False: the lease is lost. */
export async function unpark(
  db: Database,
  stream: { id: string; token: string },
  sequences: readonly number[],
): Promise<boolean> {
  const result = await db.query<{ ok: boolean }>(
    `with gone as (
       delete from audit.parked p using audit.streams s
       where s.id = $1 and s.token = $2 and p.stream = s.id and p.sequence = any ($3::bigint[])
       returning p.stream, p.entry_id)
     , noted as (
       insert into audit.replayed (stream, entry_id, delivered_at) select stream, entry_id, clock_timestamp() from gone
       on conflict (entry_id, stream) do update set delivered_at = excluded.delivered_at)
     , counted as (
       update audit.streams set delivered = delivered + (select count(*) from gone),
         last_delivery_at = clock_timestamp()
       where id = $1 and token = $2 returning 1)
     select exists (select from counted) as ok`,
    [stream.id, stream.token, sequences],
  );
  return result.rows[0]?.ok === true;
}

/** Records that it failed again: it stays parked, with the newer reason, and its replay is no longer requested. False: the lease is lost. */
export async function parkAgain(
  db: Database,
  stream: { id: string; token: string },
  sequence: number,
  refusal: Refusal,
): Promise<boolean> {
  const result = await db.query(
    `update audit.parked p set replay_requested_at = null, parked_at = now(), reason = $4, http_status = $5, message = $6
     from audit.streams s where s.id = $1 and s.token = $2 and p.stream = s.id and p.sequence = $3`,
    [stream.id, stream.token, sequence, refusal.reason, refusal.httpStatus ?? null, refusal.message],
  );
  return result.rowCount === 1;
}

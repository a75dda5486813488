/**
 * Moves a stream's position: pin a window, settle what was delivered, finish the window.
 *
 *   row → WINDOW → batch → bytes → answer → outcome → SETTLE → status
 *
 * Promises:
 *  - Exact under any commit order: a window is "visible now and not visible in `settled`", never a range of ids.
 *  - Fenced: each write names the token, window and position it was decided on; who lost the lease moves nothing.
 *  - Durable: what a window shows has reached the disk before the first entry of it is sent.
 *
 * Each of these updates also fires the trigger `note_stream_progress` (migration 0002): a pin notes a changed filter in
 * audit.stream_filters; a settle or a finish notes where the stream stands in audit.stream_history, at most every 10 s.
 */
import type { EntryFilter } from '../model/exportConfig.ts';
import type { LastRecord, Position, Refusal, StreamRow, Window } from '../model/stream.ts';
import { filterJson, hasNewEntries, hasOtherCluster, utcMilliseconds } from './fragments.ts';
import { Grouped } from './grouped.ts';
import type { Database } from './pool.ts';
import { type RawStream, streamColumns, toStreamRow } from './streams.ts';
import { type WantedColumns, wantedRows, wantedValues } from './wanted.ts';

/**
 * `synchronous_commit = off` would let a crash undo entries that a receiver already has: this statement's commit then
 * waits for the disk, and so for every commit before it.
 */
export const durable = `durable as materialized (
  select set_config('synchronous_commit',
    case current_setting('synchronous_commit') when 'off' then 'on' else current_setting('synchronous_commit') end, true))`;

export type Pinned =
  | { readonly kind: 'pinned'; readonly stream: StreamRow }
  | { readonly kind: 'nothing-new' }
  /** There is another cluster to read; see clusters.ts. */
  | { readonly kind: 'moved' }
  /** The row has a window that the caller does not know: read the row again. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'lease-lost' };

interface PinCall {
  readonly id: string;
  readonly token: string;
  readonly filter: string;
}

const pinColumns: WantedColumns<PinCall> = {
  id: ['uuid', ({ id }) => id],
  token: ['bigint', ({ token }) => token],
  filter: ['jsonb', ({ filter }) => filter],
};

const pins = new Grouped<PinCall, Pinned>(async (db, calls, isAlone) => {
  const { rows } = await db.query<RawStream & { kind: 'pinned' | 'nothing-new' | 'moved' | 'stale' }>(
    `with ${durable}, ${wantedRows('audit.streams', pinColumns, isAlone)}, pinned as (
       update audit.streams s
       set window_snapshot = pg_current_snapshot(), window_pinned_at = clock_timestamp(),
         window_filter = w.filter || case when s.starts_at is null then '{}' else jsonb_build_object('since', s.starts_at) end
       from durable, wanted w
       where s.id = w.id and s.token = w.token and s.window_snapshot is null and not ${hasOtherCluster} and ${hasNewEntries}
       returning ${streamColumns})
     select 'pinned' as kind, pinned.* from pinned
     union all
     select case when s.window_snapshot is not null then 'stale' when ${hasOtherCluster} then 'moved' else 'nothing-new' end,
       ${streamColumns}
     from audit.streams s join wanted w on s.id = w.id and s.token = w.token where not exists (select from pinned p where p.id = s.id)`,
    wantedValues(pinColumns, calls),
  );
  return new Map(
    rows.map(({ kind, ...raw }): [string, Pinned] => [
      raw.id,
      kind === 'pinned' ? { kind, stream: toStreamRow(raw) } : { kind },
    ]),
  );
});

/**
 * Pins the next window with the time and filter that hold for it, if there is anything to deliver.
 * After a crash the same window gives the same entries in the same order with the same sequence numbers.
 *
 * One statement, and a write whatever it finds: a standby refuses it, so "nothing new" is the primary's word.
 */
export async function pinWindow(
  db: Database,
  { id, token }: { id: string; token: string },
  filter: EntryFilter,
): Promise<Pinned> {
  return (await pins.call(db, { id, token, filter: filterJson(filter) })) ?? { kind: 'lease-lost' };
}

export interface Settlement {
  readonly window: Window;
  /** Where the stream stood when the batch was read. */
  readonly from: Position | null;
  /** The last entry of the unbroken settled run. */
  readonly to: Position;
  /** Sequence number of that entry, or of the last one before it that was sent. */
  readonly sequence: number;
  readonly delivered: number;
  readonly rejected: number;
  /** The one entry of the run, and why it is parked. */
  readonly parked: { readonly entryId: string; readonly refusal: Refusal } | null;
  /** The last record of the run that the receiver took; null: the one before stays. */
  readonly lastRecord: LastRecord | null;
  /** Nothing of the window comes after the run: it becomes `settled`, as by `finishWindow`. */
  readonly finishes: boolean;
}

/** What ends a window, for an update of audit.streams. */
const finished = {
  settled: 's.window_snapshot',
  window_snapshot: 'null',
  window_pinned_at: 'null',
  window_filter: 'null',
  position_xid: 'null',
  position_id: 'null',
  starts_at: 'case when s.window_pinned_at >= s.starts_at then null else s.starts_at end',
};
const finish = Object.entries(finished)
  .map(([column, value]) => `${column} = ${value}`)
  .join(', ');
/** The same where `w` says so; where it does not, the position moves to its end. */
const settledOrFinished = Object.entries(finished)
  .map(([column, value]) => {
    const otherwise = { position_xid: 'w.to_xid', position_id: 'w.to_id' }[column] ?? `s.${column}`;
    return `${column} = case when w.finishes then ${value} else ${otherwise} end`;
  })
  .join(', ');

interface SettleCall {
  readonly id: string;
  readonly token: string;
  readonly run: Settlement;
}

const settleColumns: WantedColumns<SettleCall> = {
  id: ['uuid', ({ id }) => id],
  token: ['bigint', ({ token }) => token],
  snapshot: ['text', ({ run }) => run.window.snapshot],
  from_xid: ['xid8', ({ run }) => run.from?.xid.toString() ?? null],
  from_id: ['bigint', ({ run }) => run.from?.id.toString() ?? null],
  to_xid: ['xid8', ({ run }) => run.to.xid.toString()],
  to_id: ['bigint', ({ run }) => run.to.id.toString()],
  finishes: ['boolean', ({ run }) => run.finishes],
  sequence: ['bigint', ({ run }) => run.sequence],
  delivered: ['bigint', ({ run }) => run.delivered],
  rejected: ['bigint', ({ run }) => run.rejected],
  last_record: ['jsonb', ({ run }) => run.lastRecord && JSON.stringify(run.lastRecord)],
  entry_id: ['bigint', ({ run }) => run.parked?.entryId ?? null],
  observed_at_micros: ['bigint', ({ run }) => run.window.pinnedAtMicros],
  reason: ['text', ({ run }) => run.parked?.refusal.reason ?? null],
  http_status: ['integer', ({ run }) => run.parked?.refusal.httpStatus ?? null],
  message: ['text', ({ run }) => run.parked?.refusal.message ?? null],
};
const settlements = new Grouped<SettleCall, { lastDeliveryAt: string | null }>(async (db, calls, isAlone) => {
  const { rows } = await db.query<{ id: string; lastDeliveryAt: string | null }>(
    `with ${wantedRows('audit.streams', settleColumns, isAlone)}, moved as (
       update audit.streams s
       set ${settledOrFinished}, sequence = w.sequence, delivered = s.delivered + w.delivered, rejected = s.rejected + w.rejected,
         last_delivery_at = case when w.delivered > 0 then clock_timestamp() else s.last_delivery_at end,
         last_record = coalesce(w.last_record, s.last_record)
       from wanted w
       where s.id = w.id and s.token = w.token and s.window_snapshot::text = w.snapshot
         and s.position_xid is not distinct from w.from_xid and s.position_id is not distinct from w.from_id
       returning s.id, s.last_delivery_at
     ), refused as (
       select w.id as stream, w.sequence, w.entry_id, 'epoch'::timestamptz + w.observed_at_micros * interval '1 microsecond' as observed_at,
         w.reason, w.http_status, w.message
       from moved join wanted w on w.id = moved.id where w.entry_id is not null
     ), again as (
       -- Parked before the stream was set back. That of another entry is an error: it must not be forgotten.
       update audit.parked p
       set observed_at = r.observed_at, parked_at = now(), reason = r.reason, http_status = r.http_status, message = r.message
       from refused r where p.stream = r.stream and p.sequence = r.sequence and p.entry_id = r.entry_id returning p.stream
     ), parked as (
       insert into audit.parked (stream, sequence, entry_id, observed_at, reason, http_status, message)
       select r.stream, r.sequence, r.entry_id, r.observed_at, r.reason, r.http_status, r.message
       from refused r where not exists (select from again where again.stream = r.stream)
     )
     select id, ${utcMilliseconds('last_delivery_at')} as "lastDeliveryAt" from moved`,
    wantedValues(settleColumns, calls),
  );
  return new Map(rows.map(({ id, lastDeliveryAt }) => [id, { lastDeliveryAt }]));
});

/**
 * Moves the position over a settled run, with its parked entry, and the end of the window if it is one, in the same statement. Returns the row's time of the last delivery
 * (RFC 3339 by the database's clock, null when nothing was ever delivered).
 * Null: token, window or position are not what the run was read from; the caller must read the row again.
 */
export function settle(
  db: Database,
  { id, token }: { id: string; token: string },
  run: Settlement,
): Promise<{ lastDeliveryAt: string | null } | null> {
  return settlements.call(db, { id, token, run });
}

/** Everything of the window is settled, or it has nothing: it becomes `settled`. Null: the lease is lost, or the row is not at `at`. */
export async function finishWindow(
  db: Database,
  stream: { id: string; token: string },
  window: Window,
  at: Position | null,
): Promise<StreamRow | null> {
  const result = await db.query<RawStream>(
    `update audit.streams s
     set ${finish}
     where s.id = $1 and s.token = $2 and s.window_snapshot::text = $3
       and s.position_xid is not distinct from $4::xid8 and s.position_id is not distinct from $5::bigint
     returning ${streamColumns}`,
    [stream.id, stream.token, window.snapshot, at?.xid.toString() ?? null, at?.id.toString() ?? null],
  );
  const raw = result.rows[0];
  return raw ? toStreamRow(raw) : null;
}

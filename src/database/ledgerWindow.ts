/**
 * Moves a ledger's position as `window.ts` moves a stream's: pin a window, seal a page of it, end it.
 *
 * Promises:
 *  - Exact under any commit order: a window is "visible now and not visible in `settled`", never a range of ids.
 *  - Leaves, size, state and position move in one statement, and only from where they were read: neither a crash nor a second
 *    replica seals an entry twice or leaves one out. A claim only saves work.
 *  - Durable: what a window shows has reached the disk before the first leaf of it is made.
 */
import type { Position, Window } from '../model/stream.ts';
import { intoNextCluster, nextCluster, pastLastTransaction, registerClusters } from './clusters.ts';
import { hasNewEntries, hasOtherCluster } from './fragments.ts';
import { type LedgerRow, ledgerColumns, type RawLedger, toLedgerRow } from './ledgers.ts';
import type { Database } from './pool.ts';
import { durable } from './window.ts';

export type OpenedLedger =
  | {
      readonly kind: 'window';
      readonly ledger: LedgerRow & { readonly window: Window };
      /** It was pinned just now. */
      readonly isNew: boolean;
    }
  | {
      /** `none`: the organization has no ledger. `claimed`: another collector works on it. `stopped`: a person has to act. */
      readonly kind: 'none' | 'claimed' | 'stopped' | 'nothing-new';
    }
  /** There is another cluster to read. */
  | { readonly kind: 'moved'; readonly ledger: LedgerRow };

/** A snapshot older than `settled` would take back what is sealed. The row may have moved while the statement waited for it. */
const isNotOlder = `pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(s.settled)
  and pg_snapshot_xmin(pg_current_snapshot()) >= pg_snapshot_xmin(s.settled)`;

const isFree = `(s.claimed_until is null or s.claimed_until < clock_timestamp())`;

/**
 * The organization's ledger with its window, claimed for `claimMs`: the one that was pinned before, or a new one if there is anything to
 * seal. A write whatever it finds, so "nothing new" is the primary's word.
 */
export async function openWindow(db: Database, organization: string, claimMs: number): Promise<OpenedLedger> {
  const { rows } = await db.query<RawLedger & { kind: OpenedLedger['kind']; isNew: boolean }>(
    `with ${durable}, opened as (
       update audit.ledgers s
       set window_snapshot = coalesce(s.window_snapshot, pg_current_snapshot()),
         window_pinned_at = coalesce(s.window_pinned_at, now()),
         claimed_until = clock_timestamp() + $2 * interval '1 millisecond'
       from durable
       where s.organization = $1 and s.ended_at is null and s.stopped is null and ${isFree}
         and (s.window_snapshot is not null or not ${hasOtherCluster} and ${isNotOlder} and ${hasNewEntries})
       returning ${ledgerColumns}, s.window_pinned_at = now() as "isNew")
     select 'window' as kind, opened.* from opened
     union all
     select case when s.stopped is not null then 'stopped' when not ${isFree} then 'claimed' when ${hasOtherCluster} then 'moved'
       else 'nothing-new' end, ${ledgerColumns}, false
     from audit.ledgers s where s.organization = $1 and s.ended_at is null and not exists (select from opened)`,
    [organization, claimMs],
  );
  const [found] = rows;
  if (!found) return { kind: 'none' };
  const ledger = toLedgerRow(found);
  if (found.kind === 'moved') return { kind: 'moved', ledger };
  if (found.kind !== 'window') return { kind: found.kind };
  if (ledger.window === null) throw new Error('a pinned window is null');
  return { kind: 'window', ledger: { ...ledger, window: ledger.window }, isNew: found.isNew };
}

/** Leaves that come at the end of a bundle. */
export interface BundlePart {
  readonly number: number;
  /** 56 bytes each. */
  readonly leaves: Buffer;
  readonly minId: bigint;
  readonly maxId: bigint;
  /** The root of the bundle; null: it is not full with them. */
  readonly hash: Uint8Array | null;
}

export interface Sealing {
  readonly from: LedgerRow & { readonly window: Window };
  readonly size: number;
  readonly state: Buffer;
  /** The last entry that is sealed; null: none is, and the window is over. */
  readonly to: Position | null;
  readonly parts: readonly BundlePart[];
  /** No entry of the window comes after `to`. */
  readonly finishes: boolean;
  readonly claimMs: number;
}

export type Sealed =
  | { readonly kind: 'sealed'; readonly ledger: LedgerRow }
  /** The row is not where it was read: read it again. */
  | { readonly kind: 'stale' }
  /** The leaves before these are not there as the row says. Nothing can be sealed behind them. */
  | { readonly kind: 'damaged' };

/** The bytes of the last bundle that the row $1 of size $2 must have. */
const hasLastBundle = `coalesce((select octet_length(b.entries) from audit.ledger_bundles b
  where b.ledger = $1 and b.number = $2::bigint / 256), 0) = 56 * ($2::bigint % 256)`;

/** Adds leaves to the ledger, and moves size, state and position over them; with `finishes` the window becomes `settled`. */
export async function sealPage(db: Database, sealing: Sealing): Promise<Sealed> {
  const { from, parts } = sealing;
  const column = (pick: (part: BundlePart) => bigint | number): string[] =>
    parts.map((part) => pick(part).toString());
  const { rows } = await db.query<RawLedger & { moved: boolean; whole: boolean }>(
    `with moved as (
       update audit.ledgers s set size = $6, state = $7,
         settled = case when $10 then s.window_snapshot else s.settled end,
         window_snapshot = case when $10 then null else s.window_snapshot end,
         window_pinned_at = case when $10 then null else s.window_pinned_at end,
         position_xid = case when $10 then null else $8::xid8 end, position_id = case when $10 then null else $9::bigint end,
         claimed_until = case when $10 then null else clock_timestamp() + $11 * interval '1 millisecond' end
       where s.id = $1 and s.size = $2::bigint and s.window_snapshot::text = $3 and s.stopped is null and s.ended_at is null
         and s.position_xid is not distinct from $4::xid8 and s.position_id is not distinct from $5::bigint and ${hasLastBundle}
       returning ${ledgerColumns}
     ), written as (
       insert into audit.ledger_bundles as b (ledger, number, entries, min_id, max_id, hash)
       select moved.id, p.number, p.leaves, p.min_id, p.max_id, p.hash
       from moved, unnest($12::bigint[], $13::bytea[], $14::bigint[], $15::bigint[], $16::bytea[]) as p(number, leaves, min_id, max_id, hash)
       on conflict (ledger, number) do update set entries = b.entries || excluded.entries,
         min_id = least(b.min_id, excluded.min_id), max_id = greatest(b.max_id, excluded.max_id), hash = excluded.hash
     )
     select true as moved, true as whole, moved.* from moved
     union all
     select false, ${hasLastBundle}, ${ledgerColumns} from audit.ledgers s where s.id = $1 and not exists (select from moved)`,
    [
      from.id,
      from.size,
      from.window.snapshot,
      from.position?.xid.toString() ?? null,
      from.position?.id.toString() ?? null,
      sealing.size,
      sealing.state,
      sealing.to?.xid.toString() ?? from.position?.xid.toString() ?? null,
      sealing.to?.id.toString() ?? from.position?.id.toString() ?? null,
      sealing.finishes,
      sealing.claimMs,
      column((part) => part.number),
      parts.map((part) => part.leaves),
      column((part) => part.minId),
      column((part) => part.maxId),
      parts.map((part) => part.hash),
    ],
  );
  const [row] = rows;
  if (row?.moved) return { kind: 'sealed', ledger: toLedgerRow(row) };
  return { kind: row && !row.whole && Number(row.size) === from.size ? 'damaged' : 'stale' };
}

/** Lets the next collector open it at once. */
export async function releaseLedger(db: Database, organization: string): Promise<void> {
  await db.query(
    'update audit.ledgers set claimed_until = null where organization = $1 and ended_at is null and claimed_until is not null',
    [organization],
  );
}

/**
 * Takes one step towards the present cluster, for a ledger without a window: pins the last window of the cluster that it is in, or
 * moves on to the next one (`moveCluster`). The caller opens it again.
 */
export async function moveLedgerCluster(db: Database, ledger: LedgerRow): Promise<void> {
  await registerClusters(db, [ledger.organization]);
  const at = [ledger.id, ledger.settled, ledger.cluster];
  const isThere =
    's.id = $1 and s.settled::text = $2 and s.cluster = $3 and s.window_snapshot is null and s.stopped is null';
  const pinned = await db.query(
    `with ${durable}
     update audit.ledgers s set window_snapshot = last.snapshot::pg_snapshot, window_pinned_at = clock_timestamp()
     from durable, audit.ledgers o, lateral ${pastLastTransaction} as last
     where o.id = s.id and ${isThere} and s.cluster <> audit.cluster_id() and ${hasNewEntries}
     returning 1`,
    at,
  );
  if (pinned.rowCount === 1) return;
  await db.query(
    `update audit.ledgers s set ${intoNextCluster} from audit.ledgers o, lateral ${nextCluster} as next
     where o.id = s.id and ${isThere}`,
    at,
  );
}

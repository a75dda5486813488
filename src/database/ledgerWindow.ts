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
import { goesOn, type LedgerRow, ledgerColumns, type RawLedger, toLedgerRow } from './ledgers.ts';
import type { Database } from './pool.ts';
import { type WantedColumns, wantedRows, wantedValues } from './wanted.ts';
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
 * The organizations' ledgers with their windows, claimed for `claimMs`: the one that was pinned before, or a new one if there is anything
 * to seal. A write whatever it finds, so "nothing new" is the primary's word. It waits for nobody: a row that is locked, such as by a person
 * who has not ended a transaction, counts as claimed.
 */
export async function openWindows(
  db: Database,
  organizations: readonly string[],
  claimMs: number,
): Promise<ReadonlyMap<string, OpenedLedger>> {
  const { rows } = await db.query<RawLedger & { kind: OpenedLedger['kind']; isNew: boolean }>(
    `with ${durable}, wanted as materialized (
       select s.id from audit.ledgers s
       where s.organization = any ($1::text[]) and s.ended_at is null and s.stopped is null and ${isFree}
       order by s.id for no key update skip locked
     ), opened as (
       update audit.ledgers s
       set window_snapshot = coalesce(s.window_snapshot, pg_current_snapshot()),
         window_pinned_at = coalesce(s.window_pinned_at, now()),
         claimed_until = clock_timestamp() + $2 * interval '1 millisecond'
       from durable, wanted w
       where s.id = w.id and ${isFree}
         and (s.window_snapshot is not null or not ${hasOtherCluster} and ${isNotOlder} and ${hasNewEntries})
       returning ${ledgerColumns}, s.window_pinned_at = now() as "isNew")
     select 'window' as kind, opened.* from opened
     union all
     select case when s.stopped is not null then 'stopped' when not exists (select from wanted w where w.id = s.id) then 'claimed'
       when ${hasOtherCluster} then 'moved' else 'nothing-new' end, ${ledgerColumns}, false
     from audit.ledgers s
     where s.organization = any ($1::text[]) and s.ended_at is null and not exists (select from opened o where o.id = s.id)`,
    [organizations, claimMs],
  );
  const found = new Map(rows.map((row) => [row.organization, toOpened(row)]));
  return new Map(organizations.map((name) => [name, found.get(name) ?? { kind: 'none' }]));
}

function toOpened({
  kind,
  isNew,
  ...raw
}: RawLedger & { kind: OpenedLedger['kind']; isNew: boolean }): OpenedLedger {
  const ledger = toLedgerRow(raw);
  if (kind === 'moved') return { kind, ledger };
  if (kind !== 'window') return { kind };
  if (ledger.window === null) throw new Error('a pinned window is null');
  return { kind, ledger: { ...ledger, window: ledger.window }, isNew };
}

/** The same of one organization. */
export async function openWindow(db: Database, organization: string, claimMs: number): Promise<OpenedLedger> {
  return (await openWindows(db, [organization], claimMs)).get(organization) ?? { kind: 'none' };
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
}

export type Sealed =
  | { readonly kind: 'sealed'; readonly ledger: LedgerRow }
  /** The row is not where it was read: read it again. */
  | { readonly kind: 'stale' }
  /** The leaves before these are not there as the row says. Nothing can be sealed behind them. */
  | { readonly kind: 'damaged' };

/** The bytes of its last bundle that a ledger `w.id` of the size `w.from_size` must have. */
const hasLastBundle = `coalesce((select octet_length(b.entries) from audit.ledger_bundles b
  where b.ledger = w.id and b.number = w.from_size / 256), 0) = 56 * (w.from_size % 256)`;

const sealColumns: WantedColumns<Sealing> = {
  id: ['uuid', ({ from }) => from.id],
  from_size: ['bigint', ({ from }) => from.size],
  snapshot: ['text', ({ from }) => from.window.snapshot],
  from_xid: ['xid8', ({ from }) => from.position?.xid.toString() ?? null],
  from_id: ['bigint', ({ from }) => from.position?.id.toString() ?? null],
  size: ['bigint', ({ size }) => size],
  state: ['bytea', ({ state }) => state],
  to_xid: ['xid8', ({ from, to }) => (to ?? from.position)?.xid.toString() ?? null],
  to_id: ['bigint', ({ from, to }) => (to ?? from.position)?.id.toString() ?? null],
  finishes: ['boolean', ({ finishes }) => finishes],
};
/** The first parameter behind them. */
const behind = Object.keys(sealColumns).length + 1;

/**
 * Adds leaves to ledgers, and moves size, state and position over them; with `finishes` the window becomes `settled`. Answers by the
 * ledger's id. It waits for nobody: a row that is locked counts as stale.
 */
export async function sealPages(
  db: Database,
  sealings: readonly Sealing[],
  claimMs: number,
): Promise<ReadonlyMap<string, Sealed>> {
  const parts = sealings.flatMap(({ from, parts }) => parts.map((part) => ({ ledger: from.id, ...part })));
  const { rows } = await db.query<RawLedger & { moved: boolean; whole: boolean }>(
    `with ${wantedRows('audit.ledgers', sealColumns, false)}, moved as (
       update audit.ledgers s set size = w.size, state = w.state,
         settled = case when w.finishes then s.window_snapshot else s.settled end,
         window_snapshot = case when w.finishes then null else s.window_snapshot end,
         window_pinned_at = case when w.finishes then null else s.window_pinned_at end,
         position_xid = case when w.finishes then null else w.to_xid end, position_id = case when w.finishes then null else w.to_id end,
         claimed_until = case when w.finishes then null else clock_timestamp() + $${behind} * interval '1 millisecond' end
       from wanted w
       where s.id = w.id and s.size = w.from_size and s.window_snapshot::text = w.snapshot and ${goesOn}
         and s.position_xid is not distinct from w.from_xid and s.position_id is not distinct from w.from_id and ${hasLastBundle}
       returning ${ledgerColumns}
     ), written as (
       insert into audit.ledger_bundles as b (ledger, number, entries, min_id, max_id, hash)
       select moved.id, p.number, p.leaves, p.min_id, p.max_id, p.hash
       from unnest($${behind + 1}::uuid[], $${behind + 2}::bigint[], $${behind + 3}::bytea[], $${behind + 4}::bigint[], $${behind + 5}::bigint[],
         $${behind + 6}::bytea[]) as p(ledger, number, leaves, min_id, max_id, hash) join moved on moved.id = p.ledger
       on conflict (ledger, number) do update set entries = b.entries || excluded.entries,
         min_id = least(b.min_id, excluded.min_id), max_id = greatest(b.max_id, excluded.max_id), hash = excluded.hash
     )
     select true as moved, true as whole, moved.* from moved
     union all
     select false, ${hasLastBundle}, ${ledgerColumns} from audit.ledgers s join wanted w on w.id = s.id
     where not exists (select from moved where moved.id = s.id)`,
    [
      ...wantedValues(sealColumns, sealings),
      claimMs,
      parts.map(({ ledger }) => ledger),
      parts.map(({ number }) => number),
      parts.map(({ leaves }) => leaves),
      parts.map(({ minId }) => minId.toString()),
      parts.map(({ maxId }) => maxId.toString()),
      parts.map(({ hash }) => hash),
    ],
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return new Map(
    sealings.map(({ from }): [string, Sealed] => {
      const row = found.get(from.id);
      if (row?.moved) return [from.id, { kind: 'sealed', ledger: toLedgerRow(row) }];
      return [from.id, { kind: row && !row.whole && Number(row.size) === from.size ? 'damaged' : 'stale' }];
    }),
  );
}

/** The same of one ledger. */
export async function sealPage(db: Database, sealing: Sealing, claimMs: number): Promise<Sealed> {
  return (await sealPages(db, [sealing], claimMs)).get(sealing.from.id) ?? { kind: 'stale' };
}

/** Lets the next collector open them at once. The claim on a row that is locked ends by itself. */
export async function releaseLedgers(db: Database, organizations: readonly string[]): Promise<void> {
  await db.query(
    `with free as materialized (
       select s.id from audit.ledgers s
       where s.organization = any ($1::text[]) and s.ended_at is null and s.claimed_until is not null for no key update skip locked)
     update audit.ledgers s set claimed_until = null from free where s.id = free.id`,
    [organizations],
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

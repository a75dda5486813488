/** What `verify --table` reads: a ledger as it is committed, and every row of its organization that it could have sealed. */
import pg from 'pg';
import type { Entry } from '../model/entry.ts';
import { copyOut } from './copyOut.ts';
import { readEntryUid } from './ledgerBundles.ts';
import { isUnsealable } from './ledgers.ts';
import type { Database } from './pool.ts';
import { toEntry } from './provenCopy.ts';
import { rowFaultOf } from './unreadable.ts';

/** An organization's ledger in force. */
export interface TableLedger {
  readonly id: string;
  readonly organization: string;
  readonly origin: string;
  /** Its latest checkpoint; null: there is none yet. */
  readonly note: Buffer | null;
  readonly size: number;
  /** The origin of the ledger before this one; null: it is the first. */
  readonly follows: string | null;
  /** By the cluster's identifier: everything of it that is visible in the snapshot is sealed. */
  readonly settled: ReadonlyMap<string, string>;
  /** The window that is being sealed, up to and with this entry; null: nothing of one is sealed. */
  readonly begun: {
    readonly cluster: string;
    readonly snapshot: string;
    readonly xid: string;
    readonly id: string;
  } | null;
}

/** null: the organization has none. */
export async function readTableLedger(db: Database, organization: string): Promise<TableLedger | null> {
  const { rows } = await db.query<
    Pick<TableLedger, 'id' | 'origin' | 'note' | 'follows' | 'begun'> & {
      size: string;
      settled: Readonly<Record<string, string>>;
    }
  >(
    `select s.id, s.name || '/' || s.id::text as origin, s.note, s.size::text,
       (select f.name || '/' || f.id::text from audit.ledgers f where f.id = s.follows) as follows,
       s.other_clusters || jsonb_build_object(s.cluster::text, s.settled::text) as settled,
       case when s.position_xid is not null then jsonb_build_object('cluster', s.cluster::text, 'snapshot', s.window_snapshot::text,
         'xid', s.position_xid::text, 'id', s.position_id::text) end as begun
     from audit.ledgers s where s.organization = $1 and s.ended_at is null`,
    [organization],
  );
  const [row] = rows;
  if (!row) return null;
  return { ...row, organization, size: Number(row.size), settled: new Map(Object.entries(row.settled)) };
}

/** The origin of a ledger that ended and that no other follows, as audit.restart_ledger would have it; null: there is none. */
export async function findAbandonedLedger(db: Database, organization: string): Promise<string | null> {
  const { rows } = await db.query<{ origin: string }>(
    `select a.name || '/' || a.id::text as origin from audit.ledgers a where a.organization = $1 and a.ended_at is not null
       and not exists (select from audit.ledgers f where f.follows = a.id and f.organization = a.organization)
     order by a.ended_at limit 1`,
    [organization],
  );
  return rows[0]?.origin ?? null;
}

/** A row's entry, valid during the call; or, where its contents cannot be read, what else is known of it. */
export type OnSealedRow = (
  row:
    | { readonly kind: 'entry'; readonly entry: Entry }
    | { readonly kind: 'unreadable'; readonly id: bigint; readonly uid: Buffer },
) => void;

const rowsPerRead = 5_000;
/** A read ends with the row that passes so many bytes, so that each is short. */
const bytesPerRead = 16 * 1024 * 1024;
/** No larger row is sealed with its contents, see `readLeaves.ts`. */
const largestRowBytes = 32 * 1024 * 1024;

interface Place {
  readonly xid: bigint;
  readonly id: bigint;
}

/**
 * Passes on every row of the organization that is visible in what `ledger` has settled, or was sealed of the window after it: in the order
 * of their transactions, and not in one snapshot, since all of them were there before and only retention takes any away.
 *
 * @throws the database's error that no row causes.
 */
export async function readSealedRows(db: Database, ledger: TableLedger, onRow: OnSealedRow): Promise<void> {
  for (const [cluster, settled] of ledger.settled) {
    const from = `from audit.entries e where e.organization = ${pg.escapeLiteral(ledger.organization)}
      and e.cluster = ${BigInt(cluster)} and (pg_visible_in_snapshot(e.xid, ${pg.escapeLiteral(settled)}) or ${isBegun(ledger, cluster)})`;
    let after: Place | null = null;
    do after = await readNext(db, from, after, onRow);
    while (after !== null);
  }
}

/** Whether a row `e` of that cluster is sealed, although its window is not over: a long one has many checkpoints. */
function isBegun({ begun }: TableLedger, cluster: string): string {
  if (begun === null || begun.cluster !== cluster) return 'false';
  const { snapshot, xid, id } = begun;
  return `pg_visible_in_snapshot(e.xid, ${pg.escapeLiteral(snapshot)}) and (e.xid, e.id) <= ('${BigInt(xid)}'::xid8, ${BigInt(id)})`;
}

/** Returns the last row that was passed on; null: there was none. */
async function readNext(
  db: Database,
  from: string,
  after: Place | null,
  onRow: OnSealedRow,
): Promise<Place | null> {
  let last: Place | null = null;
  let bytes = 0;
  const where = `${from} and (e.xid, e.id) > ('${after?.xid ?? 0n}'::xid8, ${after?.id ?? 0n}) order by e.xid, e.id limit`;
  const read = async (rows: number): Promise<unknown> => {
    try {
      const end = await copyOut(
        db,
        `select e.xid, e.id, true, e.uid, e.event_type, e.actor_id, e.actor_name, e.session_type, e.project, e.metadata, e.occurred_at
         ${where} ${rows}`,
        (row) => {
          const entry = toEntry(row);
          onRow({ kind: 'entry', entry });
          last = { xid: entry.xid, id: entry.id };
          bytes += entry.metadata.length;
          return bytes >= bytesPerRead ? 'stop' : undefined;
        },
        { rowBytes: largestRowBytes },
      );
      return end.kind === 'oversize' ? end : null;
    } catch (error) {
      if (rowFaultOf(error) === null) throw error;
      return error;
    }
  };
  // The row behind those that were passed on is the one that cannot be read, or it can, alone.
  if ((await read(rowsPerRead)) === null || last !== null) return last;
  if ((await read(1)) === null || last !== null) return last;
  const { rows } = await db.query<{ xid: string; id: string }>(`select e.xid::text, e.id::text ${where} 1`);
  const [head] = rows;
  if (!head) return null;
  const id = BigInt(head.id);
  onRow({ kind: 'unreadable', id, uid: await readEntryUid(db, id) });
  return { xid: BigInt(head.xid), id };
}

/** Numbers of entries that retention let go of, as ranges of first and last. To be asked after the rows were read: both go at once. */
export async function readLetGo(
  db: Database,
  ledger: string,
): Promise<ReadonlyArray<readonly [number, number]>> {
  const { rows } = await db.query<{ first: string; last: string }>(
    `select lower(r)::text as first, (upper(r) - 1)::text as last from audit.ledgers s, unnest(s.let_go) as r where s.id = $1`,
    [ledger],
  );
  return rows.map(({ first, last }) => [Number(first), Number(last)] as const);
}

/** More of them are not worth a line each. */
const mostUnsealable = 10_000;

/** Rows of the organization that no ledger can ever hold: with a transaction or a cluster that they cannot have. */
export async function listUnsealable(
  db: Database,
  ledger: string,
): Promise<ReadonlyArray<{ readonly id: string; readonly uid: string }>> {
  // One range of the index each, so that all others are not looked at.
  const places = [
    'e.cluster = s.cluster and e.xid >= pg_snapshot_xmax(pg_current_snapshot())',
    'e.cluster < s.cluster',
    'e.cluster > s.cluster',
  ];
  const rows = places.map(
    (
      place,
    ) => `select e.id::text, e.uid::text from audit.ledgers s join audit.entries e on e.organization = s.organization
      where s.id = $1 and ${place} and ${isUnsealable}`,
  );
  const found = await db.query<{ id: string; uid: string }>(
    `select * from (${rows.join(' union all ')}) as r limit ${mostUnsealable}`,
    [ledger],
  );
  return found.rows;
}

/** Whether the organization has this entry, and its ledger has not settled it: it is only not sealed yet. */
export async function isUnsettled(
  db: Database,
  { organization, settled }: TableLedger,
  { id, uid }: { readonly id: string; readonly uid: string },
): Promise<boolean> {
  const { rows } = await db.query(
    `select from audit.entries e where e.id = $1 and e.organization = $2 and e.uid = $3::uuid
       and not coalesce(pg_visible_in_snapshot(e.xid, ($4::jsonb ->> e.cluster::text)::pg_snapshot), false)`,
    [id, organization, uid, JSON.stringify(Object.fromEntries(settled))],
  );
  return rows.length > 0;
}

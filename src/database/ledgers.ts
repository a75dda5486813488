/**
 * Rows of audit.ledgers: one in force for each organization, made when its first entry is to be sealed. It is like a stream whose
 * receiver is a Merkle tree, so its position is a snapshot too (window.ts), and old clusters come first (clusters.ts).
 *
 * Not here: who writes them (ledgerWindow.ts, ledgerCheckpoints.ts, ledgerScrub.ts).
 */
import type { Position, Window } from '../model/stream.ts';
import { registerClusters } from './clusters.ts';
import { endedSince, hasNewEntries, hasOtherCluster } from './fragments.ts';
import { mostNewEntries, newEntries, serverKey } from './pollStreams.ts';
import type { Database } from './pool.ts';
import { NotPrimaryError } from './primary.ts';

export interface LedgerRow {
  readonly id: string;
  readonly organization: string;
  readonly cluster: string;
  readonly settled: string;
  /** null: nothing is being sealed. */
  readonly window: Window | null;
  /** null: at the start of the window. */
  readonly position: Position | null;
  /** Number of leaves. */
  readonly size: number;
  /** Hashes of its full subtrees; see `BundleTree`. */
  readonly state: Buffer;
}

/** Select list that `toLedgerRow` reads, of a row `s`. */
export const ledgerColumns = `s.id, s.organization, s.cluster::text, s.settled::text, s.window_snapshot::text as window_snapshot,
  (extract(epoch from s.window_pinned_at) * 1000000)::bigint as pinned, s.position_xid::text, s.position_id::text, s.size::text, s.state`;

export interface RawLedger extends Pick<LedgerRow, 'id' | 'organization' | 'cluster' | 'settled' | 'state'> {
  readonly window_snapshot: string | null;
  readonly pinned: string | null;
  readonly position_xid: string | null;
  readonly position_id: string | null;
  readonly size: string;
}

/**
 * Whether a ledger `s` that is found by its id goes on. A case, which Postgres does not look into: until the first ANALYZE it takes nulls for
 * rare, and would read all ledgers there are, once for each that is meant.
 */
export const goesOn = 'case when s.ended_at is null then s.stopped is null else false end';

/** Everything is sealed. */
const noFilter = { eventTypes: [], excludeEventTypes: [], projects: [] };

export function toLedgerRow(raw: RawLedger): LedgerRow {
  const { window_snapshot: snapshot, pinned, position_xid: xid, position_id: id } = raw;
  return {
    id: raw.id,
    organization: raw.organization,
    cluster: raw.cluster,
    settled: raw.settled,
    state: raw.state,
    window: snapshot === null ? null : { snapshot, pinnedAtMicros: Number(pinned), filter: noFilter },
    position: xid === null || id === null ? null : { xid: BigInt(xid), id: BigInt(id) },
    size: Number(raw.size),
  };
}

/**
 * Makes the ledgers of those organizations that have none in force: from the first entry in the first cluster on.
 *
 * @throws 55P03 while somebody changes the retention of one of them, and then none is made.
 */
export async function ensureLedgers(
  db: Database,
  organizations: readonly string[],
  name: string,
): Promise<void> {
  await registerClusters(db, organizations);
  // In one order, so that two collectors never wait for each other in a circle.
  await db.query(
    `insert into audit.ledgers (organization, name, cluster)
     select o.organization, $2, first.cluster
     from unnest($1::text[]) as o(organization), (select c.system_identifier as cluster from audit.clusters c
       order by c.system_identifier = audit.cluster_id(), c.ordinal limit 1) as first
     where not exists (select from audit.ledgers l where l.organization = o.organization and l.ended_at is null)
     order by o.organization
     on conflict (organization) where ended_at is null do nothing`,
    [organizations, name],
  );
}

/** What a look for unsealed entries has seen; the next one looks only at what came after. */
export interface UnsealedMark {
  readonly snapshot: string;
  /** Changes with the server, its cluster, and the clusters that the table is known to hold entries of. */
  readonly server: string;
}

export interface Unsealed {
  readonly organizations: readonly string[];
  readonly mark: UnsealedMark;
}

/**
 * Whether a row `e` of a ledger `s` can never be sealed: everything before is, and it belongs to a transaction that has not begun, or to
 * another cluster, of which nothing more is read. No product writes such a row.
 */
export const isUnsealable = `(not ${hasOtherCluster} and case when e.cluster = s.cluster then e.xid >= pg_snapshot_xmax(pg_current_snapshot())
  else not coalesce(pg_visible_in_snapshot(e.xid, (s.other_clusters ->> e.cluster::text)::pg_snapshot), false) end)`;

const common = `pg_is_in_recovery() as standby, pg_current_snapshot()::text as snapshot, ${serverKey} as server`;

const newOrganizations = `with new as materialized (
    select e.organization from unnest(${endedSince('$1::pg_snapshot')}) as ended(xid),
      lateral ${newEntries('between ended.xid and ended.xid')} as e
    union all
    ${newEntries('>= pg_snapshot_xmax($1::pg_snapshot)')}
    limit ${mostNewEntries})
  select ${common}, array(select distinct organization from new) as organizations,
    ${serverKey} <> $2 or (select count(*) from new) = ${mostNewEntries} as unsure`;

/** By one index probe for each organization, and those of a stream for each ledger. */
const allOrganizations = `with recursive organizations as (
    (select organization from audit.entries where organization > '' order by organization limit 1)
    union all
    select next.organization from organizations o, lateral (
      select e.organization from audit.entries e where e.organization > o.organization order by e.organization limit 1) as next)
  select ${common}, false as unsure, array(select o.organization from organizations o
    left join audit.ledgers s on s.organization = o.organization and s.ended_at is null
    where length(o.organization) <= 256 and (s.id is null
      or s.stopped is null and (s.window_snapshot is not null or ${hasOtherCluster} or ${hasNewEntries}))) as organizations`;

/**
 * Which organizations have entries that are not sealed. With the mark of the last look its cost follows the number of new entries, not
 * that of organizations; null: every organization is looked at.
 *
 * @throws NotPrimaryError if a standby answered.
 */
export async function listUnsealed(db: Database, last: UnsealedMark | null): Promise<Unsealed> {
  const { rows } = await db.query<UnsealedMark & Unsealed & { standby: boolean; unsure: boolean }>(
    last === null ? allOrganizations : newOrganizations,
    last === null ? [] : [last.snapshot, last.server],
  );
  const [row] = rows;
  if (!row || row.standby) throw new NotPrimaryError();
  if (row.unsure) return listUnsealed(db, null);
  return { organizations: row.organizations, mark: { snapshot: row.snapshot, server: row.server } };
}

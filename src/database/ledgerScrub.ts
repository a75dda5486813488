/** Reads what a comparison of table and ledger needs, and remembers how far it is (audit.ledgers.scrub_…). */
import pg from 'pg';
import type { Entry } from '../model/entry.ts';
import { copyOut } from './copyOut.ts';
import { isUnsealable } from './ledgers.ts';
import type { Database } from './pool.ts';
import { toEntry } from './provenCopy.ts';

export interface ScrubbedLedger {
  readonly id: string;
  readonly organization: string;
  readonly size: number;
  readonly state: Buffer;
  /** The next bundle to compare. */
  readonly number: number;
  /** The entry after which the table is compared; null: all bundles come first. */
  readonly after: { readonly cluster: string; readonly xid: string; readonly id: string } | null;
}

/** The ledger in force whose last comparison is the longest ago, at least `restMs`, but for some ids; null: none is due. */
export async function findScrubbed(
  db: Database,
  restMs: number,
  except: readonly string[],
): Promise<ScrubbedLedger | null> {
  // A time of the future is none, so that nobody keeps a ledger out by one.
  const { rows } = await db.query<
    Pick<ScrubbedLedger, 'id' | 'organization' | 'state'> & {
      size: string;
      number: string;
      cluster: string | null;
      xid: string;
      entry: string;
    }
  >(
    `select s.id, s.organization, s.size::text, s.state, s.scrub_number::text as number, s.scrub_cluster::text as cluster,
       s.scrub_xid::text as xid, s.scrub_id::text as entry
     from audit.ledgers s where s.ended_at is null and s.size > 0
       and (s.scrubbed_at is null or s.scrubbed_at not between clock_timestamp() - $1 * interval '1 millisecond' and clock_timestamp())
       and s.id <> all ($2::uuid[])
     order by coalesce(s.scrubbed_at > clock_timestamp(), true) desc, s.scrubbed_at nulls first, s.id limit 1`,
    [restMs, except],
  );
  const [row] = rows;
  if (!row) return null;
  const { cluster, xid, entry } = row;
  const after = cluster === null ? null : { cluster, xid, id: entry };
  return { ...row, size: Number(row.size), number: Number(row.number), after };
}

/** Where the comparison goes on; null: it is over. */
export async function saveScrub(
  db: Database,
  ledger: string,
  next: Pick<ScrubbedLedger, 'number' | 'after'> | null,
): Promise<void> {
  await db.query(
    `update audit.ledgers set scrub_number = $2, scrub_cluster = $3, scrub_xid = $4, scrub_id = $5,
       scrubbed_at = case when $6 then clock_timestamp() else scrubbed_at end,
       scrub_began_at = case when $6 then null else coalesce(scrub_began_at, clock_timestamp()) end
     where id = $1`,
    [
      ledger,
      next?.number ?? 0,
      next?.after?.cluster ?? null,
      next?.after?.xid ?? null,
      next?.after?.id ?? null,
      next === null,
    ],
  );
}

/** One bundle; null: it is not there. */
export async function readWholeBundle(
  db: Database,
  ledger: string,
  number: number,
): Promise<{ entries: Buffer; hash: Buffer | null } | null> {
  const { rows } = await db.query<{ entries: Buffer; hash: Buffer | null }>(
    'select b.entries, b.hash from audit.ledger_bundles b where b.ledger = $1 and b.number = $2',
    [ledger, number],
  );
  return rows[0] ?? null;
}

/**
 * Passes on the rows of these ids that there are, whoever's they are; `isOwn`: of the organization.
 *
 * @throws the database's error when one of them cannot be read.
 */
export async function readEntriesById(
  db: Database,
  organization: string,
  ids: readonly bigint[],
  onEntry: (entry: Entry, isOwn: boolean) => void,
): Promise<void> {
  await copyOut(
    db,
    `select xid, id, organization = ${pg.escapeLiteral(organization)}, uid, event_type, actor_id, actor_name, session_type, project,
       metadata, occurred_at
     from audit.entries where id = any ('{${ids.join(',')}}'::bigint[])`,
    (row) => {
      onEntry(toEntry(row), row.bytes(2)?.[0] === 1);
      return undefined;
    },
  );
}

/** Which of the numbers retention has let go of. To be asked after the rows were read: both go at once. */
export async function listLetGo(
  db: Database,
  ledger: string,
  numbers: readonly number[],
): Promise<ReadonlySet<number>> {
  const { rows } = await db.query<{ number: string }>(
    `select n::text as number from audit.ledgers s, unnest($2::bigint[]) as n where s.id = $1 and s.let_go @> n`,
    [ledger, numbers],
  );
  return new Set(rows.map(({ number }) => Number(number)));
}

export interface TableStep {
  /** Ids of rows that are among what is sealed, and in no bundle; or that cannot be sealed. */
  readonly slippedIn: readonly string[];
  /** null: it was the last. */
  readonly next: NonNullable<ScrubbedLedger['after']> | null;
}

const rowsPerStep = 1_000;

/** Compares the next rows of the organization's table with the bundles. `after` null: from the first on. */
export async function compareRows(
  db: Database,
  { id, organization }: Pick<ScrubbedLedger, 'id' | 'organization'>,
  after: ScrubbedLedger['after'],
): Promise<TableStep> {
  const { rows } = await db.query<{
    cluster: string | null;
    looked: number;
    xid: string | null;
    last: string | null;
    ids: string[];
    unsealable: string[];
    found: string;
  }>(
    `with place as materialized (
       select coalesce($3::bigint, (select e.cluster from audit.entries e where e.organization = $2 order by e.cluster limit 1)) as cluster
     ), heads as materialized (
       select e.xid, e.id from place, lateral (
         select e.xid, e.id from audit.entries e
         where e.organization = $2 and e.cluster = place.cluster and (e.xid, e.id) > (coalesce($4::xid8, '0'), coalesce($5::bigint, 0))
         order by e.xid, e.id limit ${rowsPerStep}) as e
     ), sealed as materialized (
       select array(select h.id from heads h where coalesce(pg_visible_in_snapshot(h.xid, case when s.cluster = place.cluster then s.settled
         else (s.other_clusters ->> place.cluster::text)::pg_snapshot end), false)) as ids,
         array(select e.id::text from (select h.id, h.xid, place.cluster from heads h) as e where ${isUnsealable}) as unsealable
       from audit.ledgers s, place where s.id = $1)
     select place.cluster::text, (select count(*)::int from heads) as looked, last.xid::text, last.id::text as last, sealed.ids, sealed.unsealable,
       (select coalesce(sum(upper(r) - lower(r)), 0) from unnest(audit.ledger_numbers($1, sealed.ids)) as r)::text as found
     from place, sealed left join (select h.xid, h.id from heads h order by h.xid desc, h.id desc limit 1) as last on true`,
    [id, organization, after?.cluster ?? null, after?.xid ?? null, after?.id ?? null],
  );
  const [row] = rows;
  if (!row || row.cluster === null) return { slippedIn: [], next: null };
  const withoutLeaf = Number(row.found) < row.ids.length ? await listWithoutLeaf(db, id, row.ids) : [];
  const slippedIn = [...withoutLeaf, ...row.unsealable];
  if (row.looked === rowsPerStep && row.xid !== null && row.last !== null)
    return { slippedIn, next: { cluster: row.cluster, xid: row.xid, id: row.last } };
  const later = await db.query<{ cluster: string }>(
    'select e.cluster::text from audit.entries e where e.organization = $1 and e.cluster > $2 order by e.cluster limit 1',
    [organization, row.cluster],
  );
  const cluster = later.rows[0]?.cluster;
  return { slippedIn, next: cluster === undefined ? null : { cluster, xid: '0', id: '0' } };
}

async function listWithoutLeaf(db: Database, ledger: string, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select e::text as id from unnest($2::bigint[]) as e where audit.ledger_numbers($1, array[e]) = '{}'`,
    [ledger, ids],
  );
  return rows.map(({ id }) => id);
}

/**
 * The statements that build search blocks: which entries are not in blocks yet, their texts, and the position reached.
 *
 * Blocks hold only final entries: nothing can still be committed below the oldest open transaction. Everything that another cluster
 * wrote is final.
 */
import pg from 'pg';
import type { Position } from '../model/stream.ts';
import { copyOut } from './copyOut.ts';
import { isSearchable } from './entryBounds.ts';
import type { Database } from './pool.ts';

export interface Block {
  readonly first: Position;
  readonly last: Position;
  readonly entries: number;
  readonly textBytes: number;
  /** Microseconds since 2000. */
  readonly oldest: bigint;
  readonly newest: bigint;
  readonly grams: Buffer | null;
  /** What `grams` record. */
  readonly gramVersion: number;
}

export interface IndexedEntry extends Position {
  /** Microseconds since 2000. */
  readonly occurredAt: bigint;
  /** Folded, UTF-8; part of the socket's buffer. null: too large to search. */
  readonly text: Uint8Array | null;
}

/** The entries of an organization that one cluster wrote. */
export interface Part {
  readonly organization: string;
  readonly cluster: string;
  /** Nothing more is written to it, so the rest becomes a block, however small. */
  readonly isClosed: boolean;
}

/** Transactions from here on may still commit entries. */
const horizon = (cluster: string): string =>
  `(case when ${cluster} = audit.cluster_id() then pg_snapshot_xmin(pg_current_snapshot()) else '9223372036854775807'::xid8 end)`;

/** The oldest open transaction; everything final is older. null: no transaction could hold anything back. */
export async function readOldestOpen(db: Database): Promise<string | null> {
  const { rows } = await db.query<{ oldest: string; next: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as oldest, pg_snapshot_xmax(pg_current_snapshot())::text as next',
  );
  const row = rows[0];
  return row && row.oldest !== row.next ? row.oldest : null;
}

/** Every entry that is not final yet, or will be written, has this transaction id or a later one. */
export async function readHorizon(db: Database): Promise<string> {
  const { rows } = await db.query<{ horizon: string }>(
    'select pg_snapshot_xmin(pg_current_snapshot())::text as horizon',
  );
  return rows[0]?.horizon ?? '0';
}

const allParts = `(select organization, cluster from audit.entries order by organization, cluster limit 1)
  union all
  select next.organization, next.cluster from parts p, lateral (
    select e.organization, e.cluster from audit.entries e
    where (e.organization, e.cluster) > (p.organization, p.cluster)
    order by e.organization, e.cluster limit 1) as next`;

const newParts = `select distinct organization, cluster from audit.entries
  where cluster + 0 = audit.cluster_id() and greatest(xid, '0'::xid8) >= $3::xid8
    and xid < pg_snapshot_xmin(pg_current_snapshot())`;

/**
 * Lists parts with enough final entries for a block: by their number, or by the size of the first ones. Costs a few index probes
 * for each part and an index-only read.
 *
 * @param since a horizon (`readHorizon`): only parts that got entries from then on. null: every part there is.
 */
export async function listIndexable(
  db: Database,
  since: string | null,
  entries: number,
  bytes: number,
): Promise<Part[]> {
  const result = await db.query<Part>(
    `with recursive parts as (${since === null ? allParts : newParts})
     select p.organization, p.cluster::text, p.cluster <> audit.cluster_id() as "isClosed"
     from parts p left join audit.search_positions s using (organization, cluster),
     lateral (select count(*) as n from (
       select from audit.entries e where e.organization = p.organization and e.cluster = p.cluster
         and (e.xid, e.id) > (coalesce(s.xid, '0'), coalesce(s.id, 0)) and e.xid < ${horizon('p.cluster')}
       order by e.xid, e.id limit $1) as waiting) as counted,
     lateral (select coalesce(avg(size), 0) as size from (
       select pg_column_size(e.metadata) as size from audit.entries e where e.organization = p.organization and e.cluster = p.cluster
         and (e.xid, e.id) > (coalesce(s.xid, '0'), coalesce(s.id, 0)) and e.xid < ${horizon('p.cluster')}
       order by e.xid, e.id limit 20) as first) as sized
     where n >= $1 or n > 0 and (n * size >= $2 or p.cluster <> audit.cluster_id())`,
    since === null ? [entries, bytes] : [entries, bytes, since],
  );
  return result.rows;
}

/**
 * Claims a part for `durationMs`, which each `saveBlocks` starts again. Returns how far its entries are in blocks, or null while
 * another collector is working on it.
 */
export async function claimPart(db: Database, part: Part, durationMs: number): Promise<Position | null> {
  const result = await db.query<{ xid: string; id: string }>(
    `insert into audit.search_positions as p (organization, cluster, xid, id, claimed_until)
     values ($1, $2, '0', 0, clock_timestamp() + $3 * interval '1 millisecond')
     on conflict (organization, cluster) do update set claimed_until = excluded.claimed_until
       where p.claimed_until is null or p.claimed_until < clock_timestamp()
     returning xid::text, id::text`,
    [part.organization, part.cluster, durationMs],
  );
  const row = result.rows[0];
  return row ? { xid: BigInt(row.xid), id: BigInt(row.id) } : null;
}

/** Lets the next collector claim the part at once. */
export async function releasePart(db: Database, part: Part): Promise<void> {
  await db.query(
    'update audit.search_positions set claimed_until = null where organization = $1 and cluster = $2',
    [part.organization, part.cluster],
  );
}

/** How much stored metadata one read may cover: 8 MiB. */
const storedBytesPerRead = 8 * 1024 * 1024;

/**
 * Passes final entries after `from` to `onEntry`: at most `maxEntries` and about 8 MiB, at least one if there is any. Use them
 * synchronously and do not keep them. Returns true when the 8 MiB ended the read. Without `withText` no text is read, as if each entry
 * were too large to search.
 *
 * @throws 57014 when it takes more than `timeoutMs`.
 */
export async function readFinal(
  db: Database,
  part: Part,
  from: Position,
  { maxEntries, withText, timeoutMs }: { maxEntries: number; withText: boolean; timeoutMs: number },
  onEntry: (entry: IndexedEntry) => void,
): Promise<boolean> {
  const cluster = BigInt(part.cluster);
  let storedBytes = 0n;
  await copyOut(
    db,
    `select e.xid, e.id, e.occurred_at,
       ${withText ? `case when ${isSearchable} then audit.search_text(e.event_type, e.actor_id, e.actor_name, e.session_type, e.project, e.metadata) end` : 'null::text'},
       (e.before + pg_column_size(e.metadata))::bigint
     from (select e.*, sum(pg_column_size(e.metadata)) over (order by e.xid, e.id rows unbounded preceding) - pg_column_size(e.metadata) as before
       from (select * from audit.entries e where e.organization = ${pg.escapeLiteral(part.organization)} and e.cluster = ${cluster}
           and (e.xid, e.id) > ('${from.xid}'::xid8, ${from.id}) and e.xid < ${horizon(cluster.toString())}
         order by e.xid, e.id limit ${maxEntries}) e) e
     where e.before < ${storedBytesPerRead} order by e.xid, e.id`,
    (row) => {
      storedBytes = row.required(4).readBigInt64BE();
      onEntry({
        xid: row.required(0).readBigUInt64BE(),
        id: row.required(1).readBigInt64BE(),
        occurredAt: row.required(2).readBigInt64BE(),
        text: row.bytes(3),
      });
      return undefined;
    },
    { timeoutMs: Math.ceil(timeoutMs) },
  );
  return storedBytes >= storedBytesPerRead;
}

/** Adds blocks of the entries after `from` and moves the position to the last one. False: another collector has moved it. */
export async function saveBlocks(
  db: Database,
  part: Part,
  from: Position,
  blocks: readonly Block[],
  claimMs: number,
): Promise<boolean> {
  const last = blocks.at(-1)?.last;
  if (!last) return true;
  const column = (pick: (block: Block) => bigint | number): string[] =>
    blocks.map((block) => pick(block).toString());
  const moment = (name: string): string =>
    `'2000-01-01 00:00:00+00'::timestamptz + ${name} * interval '1 microsecond'`;
  const result = await db.query(
    `with moved as (
       update audit.search_positions
       set xid = $5, id = $6, claimed_until = clock_timestamp() + $7 * interval '1 millisecond'
       where organization = $1 and cluster = $2 and xid = $3 and id = $4 returning 1)
     insert into audit.search_blocks (organization, cluster, first_xid, first_id, last_xid, last_id, entries, text_bytes, oldest, newest, grams, gram_version)
     select $1, $2, first_xid, first_id, last_xid, last_id, entries, text_bytes, ${moment('oldest')}, ${moment('newest')}, grams, gram_version
     from moved, unnest($8::xid8[], $9::bigint[], $10::xid8[], $11::bigint[], $12::int[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bytea[], $17::smallint[])
       as b(first_xid, first_id, last_xid, last_id, entries, text_bytes, oldest, newest, grams, gram_version)`,
    [
      part.organization,
      part.cluster,
      from.xid.toString(),
      from.id.toString(),
      last.xid.toString(),
      last.id.toString(),
      claimMs,
      column((block) => block.first.xid),
      column((block) => block.first.id),
      column((block) => block.last.xid),
      column((block) => block.last.id),
      column((block) => block.entries),
      column((block) => block.textBytes),
      column((block) => block.oldest),
      column((block) => block.newest),
      blocks.map((block) => block.grams),
      column((block) => block.gramVersion),
    ],
  );
  return result.rowCount === blocks.length;
}

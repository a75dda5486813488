/** The statements of a search by blocks: entries not in a block yet, blocks that may hold a match, and reading those. */
import type { Position } from '../model/stream.ts';
import type { Reader } from './boundedRead.ts';
import { utcMicroseconds } from './entries.ts';
import { organizationClusters } from './organizationClusters.ts';
import { Parameters } from './parameters.ts';
import { type Hit, inRange, type Prepared, readHits } from './searchEntries.ts';

/** How far the entries that one cluster wrote for an organization are in blocks. */
export interface IndexedUpTo extends Position {
  readonly cluster: string;
}

/** Returns one position for each cluster that the organization has entries of. */
export async function readIndexedUpTo(reader: Reader, organization: string): Promise<IndexedUpTo[]> {
  const rows = await reader.query<{ cluster: string; xid: string; id: string }>(
    `with recursive ${organizationClusters('$1')}
     select c.cluster::text, coalesce(p.xid, '0')::text as xid, coalesce(p.id, 0)::text as id
     from clusters c left join audit.search_positions p on p.organization = $1 and p.cluster = c.cluster`,
    [organization],
  );
  return rows.map((row) => ({ cluster: row.cluster, xid: BigInt(row.xid), id: BigInt(row.id) }));
}

/** Counts entries that are not in a block yet, up to `most`; reads only the index. */
export async function countUnindexed(
  reader: Reader,
  organization: string,
  upTo: readonly IndexedUpTo[],
  most: number,
): Promise<number> {
  const parameters = new Parameters();
  const source = unindexed(organization, upTo, parameters, '');
  const [row] = await reader.query<{ n: string }>(
    `select count(*) as n from (select from ${source} limit ${parameters.add(most, 'int')}) counted`,
    parameters.values,
  );
  return Number(row?.n);
}

/** Returns the first `limit` matches among the entries that are not in a block. */
export function filterUnindexed(
  reader: Reader,
  prepared: Prepared,
  upTo: readonly IndexedUpTo[],
  limit: number,
): Promise<Hit[]> {
  const parameters = new Parameters();
  return readHits(reader, prepared, parameters, unindexedSource(prepared, upTo, parameters), limit);
}

/** The entries of the range that are not in a block. Fenced, so that the time range does not make the planner read in time order. */
export function unindexedSource(
  prepared: Prepared,
  upTo: readonly IndexedUpTo[],
  parameters: Parameters,
): string {
  const all = unindexed(prepared.query.organization, upTo, parameters, 'offset 0');
  return `(select * from ${all} where ${inRange(prepared.range, parameters)}) e`;
}

function unindexed(
  organization: string,
  upTo: readonly IndexedUpTo[],
  parameters: Parameters,
  fence: string,
): string {
  const column = (name: keyof IndexedUpTo, type: string): string =>
    parameters.add(
      upTo.map((part) => String(part[name])),
      type,
    );
  return `(select e.* from unnest(${column('cluster', 'bigint[]')}, ${column('xid', 'xid8[]')}, ${column('id', 'bigint[]')})
    as p(cluster, xid, id) cross join lateral (
    select * from audit.entries e where e.organization = ${parameters.add(organization, 'text')} and e.cluster = p.cluster
      and (e.xid, e.id) > (p.xid, p.id) ${fence}) e) e`;
}

export interface BlockPlace {
  /** The block's newest time (for `newer` its oldest): none of its entries comes earlier in the direction. */
  readonly edge: string;
  readonly block: string;
}

export interface Candidate extends BlockPlace {
  readonly cluster: string;
  readonly firstXid: string;
  readonly firstId: string;
  readonly lastXid: string;
  readonly lastId: string;
  readonly entries: number;
  readonly textBytes: number;
}

/** What a block that holds a term has in its bitmap. */
export interface TermHashes {
  readonly all: readonly number[];
  /** In a bitmap of the first version, which holds less. Empty: any such block may hold the term. */
  readonly version1: readonly number[];
}

export interface Scan {
  /** Sorted in the direction. */
  readonly candidates: readonly Candidate[];
  /** Where to continue; null: there are no more blocks. */
  readonly end: BlockPlace | null;
}

/**
 * Probes up to `most` blocks that overlap the range, in the order of their edges. Returns those that have, for each list in `needles`,
 * all hashes of at least one alternative.
 */
export async function scanBlocks(
  reader: Reader,
  { query, range, direction }: Prepared,
  needles: readonly (readonly TermHashes[])[],
  from: BlockPlace | null,
  most: number,
): Promise<Scan> {
  const parameters = new Parameters();
  const [edge, sorted, past] = direction === 'older' ? ['newest', 'desc', '<'] : ['oldest', 'asc', '>'];
  const probe = (of: keyof TermHashes): string =>
    needles
      .map((alternatives) => `(${alternatives.map((hashes) => hasAll(hashes[of])).join(' or ')})`)
      .join(' and ') || 'true';
  const isPast = from
    ? `and (b.${edge}, b.block) ${past} (${parameters.add(from.edge, 'timestamptz')}, ${parameters.add(from.block, 'bigint')})`
    : '';
  const rows = await reader.query<
    Omit<Candidate, 'textBytes'> & { textBytes: string; isHit: boolean; isLast: boolean }
  >(
    `with overlapping as (
       select * from audit.search_blocks b
       where b.organization = ${parameters.add(query.organization, 'text')}
         and b.newest >= ${parameters.add(range.low.occurredAt, 'timestamptz')} and b.oldest <= ${parameters.add(range.high.occurredAt, 'timestamptz')} ${isPast}
       order by b.${edge} ${sorted}, b.block ${sorted} limit ${parameters.add(most, 'int')}
     ), probed as (
       select b.*, b.grams is null or case b.gram_version when 1 then ${probe('version1')} else ${probe('all')} end as is_hit,
         row_number() over (order by b.${edge} ${sorted}, b.block ${sorted}) = ${parameters.add(most, 'int')} as is_last
       from overlapping b)
     select b.block::text, ${utcMicroseconds(`b.${edge}`)} as edge, b.cluster::text, b.first_xid::text as "firstXid", b.first_id::text as "firstId",
       b.last_xid::text as "lastXid", b.last_id::text as "lastId", b.entries, b.text_bytes::text as "textBytes",
       b.is_hit as "isHit", b.is_last as "isLast"
     from probed b where b.is_hit or b.is_last order by b.${edge} ${sorted}, b.block ${sorted}`,
    parameters.values,
  );
  const last = rows.at(-1);
  return {
    candidates: rows
      .filter((row) => row.isHit)
      .map(({ isHit: _, isLast: __, textBytes, ...row }) => ({ ...row, textBytes: Number(textBytes) })),
    end: last?.isLast ? { edge: last.edge, block: last.block } : null,
  };
}

function hasAll(hashes: readonly number[]): string {
  return `(${hashes.map(hasGram).join(' and ') || 'true'})`;
}

/** Reads one byte of the bitmap, so that Postgres fetches only one piece of it. */
function hasGram(hash: number): string {
  const place = `((${hash} & (octet_length(b.grams) * 8 - 1)) >> 3) + 1`;
  return `get_byte(substring(b.grams from ${place} for 1), 0) & ${1 << (hash & 7)} <> 0`;
}

/** Reads these blocks whole and returns their first `limit` matches. */
export function filterBlocks(
  reader: Reader,
  prepared: Prepared,
  blocks: readonly Candidate[],
  limit: number,
): Promise<Hit[]> {
  const parameters = new Parameters();
  return readHits(reader, prepared, parameters, blocksSource(prepared, blocks, parameters), limit);
}

/** The entries of the range in these blocks. */
export function blocksSource(
  prepared: Prepared,
  blocks: readonly Candidate[],
  parameters: Parameters,
): string {
  const column = (pick: (block: Candidate) => string, type: string): string =>
    parameters.add(blocks.map(pick), type);
  const organization = parameters.add(prepared.query.organization, 'text');
  return `(select e.* from unnest(${column((b) => b.cluster, 'bigint[]')}, ${column((b) => b.firstXid, 'xid8[]')},
      ${column((b) => b.firstId, 'bigint[]')}, ${column((b) => b.lastXid, 'xid8[]')}, ${column((b) => b.lastId, 'bigint[]')})
      as b(cluster, first_xid, first_id, last_xid, last_id) cross join lateral (
        select * from audit.entries e where e.organization = ${organization} and e.cluster = b.cluster
          and (e.xid, e.id) >= (b.first_xid, b.first_id) and (e.xid, e.id) <= (b.last_xid, b.last_id) offset 0) e
    where ${inRange(prepared.range, parameters)}) e`;
}

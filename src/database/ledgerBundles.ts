/** Reads what is sealed: leaves, the roots of bundles, and which number an entry has. */
import { boundedRead } from './boundedRead.ts';
import type { Database } from './pool.ts';

/** 16 bytes: the uid of an entry of which nothing else may be readable. Zeros: not even that is. */
export async function readEntryUid(db: Database, id: bigint): Promise<Buffer> {
  try {
    const { rows } = await db.query<{ uid: Buffer }>(
      'select uuid_send(e.uid) as uid from audit.entries e where e.id = $1',
      [id.toString()],
    );
    return rows[0]?.uid ?? Buffer.alloc(16);
  } catch {
    return Buffer.alloc(16);
  }
}

/** Leaves of one bundle, 56 bytes each; null: it is not there. */
export async function readBundle(db: Database, ledger: string, number: number): Promise<Buffer | null> {
  const { rows } = await db.query<{ entries: Buffer }>(
    'select b.entries from audit.ledger_bundles b where b.ledger = $1 and b.number = $2',
    [ledger, number],
  );
  return rows[0]?.entries ?? null;
}

/** Bundles in one answer when only their roots are read. */
const hashesPerRead = 20_000;

/**
 * Passes the roots of the full bundles from `from` to before `until` on, in order. False: one is missing.
 */
export async function readBundleHashes(
  db: Database,
  ledger: string,
  from: number,
  until: number,
  onHash: (hash: Buffer) => void,
): Promise<boolean> {
  for (let next = from; next < until; ) {
    const { rows } = await db.query<{ number: string; hash: Buffer | null }>(
      `select b.number::text, b.hash from audit.ledger_bundles b
       where b.ledger = $1 and b.number >= $2 and b.number < $3 order by b.number limit ${hashesPerRead}`,
      [ledger, next, until],
    );
    if (rows.length === 0) return false;
    for (const { number, hash } of rows) {
      if (Number(number) !== next || hash === null) return false;
      onHash(hash);
      next++;
    }
  }
  return true;
}

/** Bundles of one ledger, up to `last`: of each its root, and the leaves of those in `parts`. */
export interface BundlesWanted {
  readonly ledger: string;
  readonly last: number;
  readonly parts: readonly number[];
}

export interface ReadBundle {
  readonly number: number;
  /** null: it is not full. */
  readonly hash: Buffer | null;
  /** null: its leaves were not wanted. */
  readonly leaves: Buffer | null;
}

/** So many bundles of a ledger are read together with those of others. */
export const mostBundlesEach = 64;

/** The first bundles of several ledgers, at most `mostBundlesEach` of each, by the ledger's id. */
export async function readBundlesOfMany(
  db: Database,
  wanted: readonly BundlesWanted[],
): Promise<ReadonlyMap<string, readonly ReadBundle[]>> {
  const parts = wanted.flatMap(({ ledger, parts }) => parts.map((number) => ({ ledger, number })));
  const { rows } = await db.query<Omit<ReadBundle, 'number'> & { ledger: string; number: string }>(
    `select w.ledger, b.number::text, b.hash, b.leaves from unnest($1::uuid[], $2::bigint[]) as w(ledger, last),
       lateral (select b.number, b.hash, case when (b.ledger, b.number) in (select * from unnest($3::uuid[], $4::bigint[])) then b.entries end as leaves
         from audit.ledger_bundles b where b.ledger = w.ledger and b.number <= w.last order by b.number limit ${mostBundlesEach}) as b`,
    [
      wanted.map(({ ledger }) => ledger),
      wanted.map(({ last }) => last),
      parts.map(({ ledger }) => ledger),
      parts.map(({ number }) => number),
    ],
  );
  return Map.groupBy(
    rows.map((row) => ({ ...row, number: Number(row.number) })),
    ({ ledger }) => ledger,
  );
}

/** Where an entry is sealed. */
export interface SealedEntry {
  readonly ledger: string;
  /** From 1. */
  readonly number: number;
  /** 56 bytes. */
  readonly leaf: Buffer;
}

const lookUpTimeoutMs = 2_000;

/** Where the entry is in the organization's ledger in force; null: it is not sealed. @throws the database's error, including a timeout. */
export function findSealed(db: Database, organization: string, entryId: string): Promise<SealedEntry | null> {
  return boundedRead(db, lookUpTimeoutMs, async (reader) => {
    const [row] = await reader.query<{ ledger: string; bundle: string; place: number; leaf: Buffer }>(
      `select b.ledger, b.number::text as bundle, p.place, substring(b.entries from 56 * p.place + 1 for 56) as leaf
       from audit.ledgers l, lateral (
         select b.* from audit.ledger_bundles b
         where b.ledger = l.id and b.max_id >= $2::bigint and b.min_id <= $2::bigint and audit.leaf_place(b.entries, $2::bigint) is not null
         order by b.max_id limit 1) as b, lateral (select audit.leaf_place(b.entries, $2::bigint) as place) as p
       where l.organization = $1 and l.ended_at is null`,
      [organization, entryId],
    );
    return row
      ? { ledger: row.ledger, number: Number(row.bundle) * 256 + row.place + 1, leaf: row.leaf }
      : null;
  });
}

/** Where table and ledger differ (audit.ledger_findings): kept, so that people see them until a later comparison finds nothing. */
import { isUnsealable } from './ledgers.ts';
import type { Database } from './pool.ts';

export type FindingKind =
  /** The contents are not those that were sealed. */
  | 'changed'
  /** There is no such row, and retention has not let go of it. */
  | 'missing'
  /** A row of the same id and another uid. */
  | 'replaced'
  /** It belongs to another organization now. */
  | 'moved'
  /** A row among the sealed ones that was never sealed, or one that cannot be, since its transaction or cluster is not its own. */
  | 'slipped-in'
  /** It could not be read when it was sealed: there is no proof of its contents. */
  | 'unreadable'
  /** Leaves are not those that the root was made of; the entry id is the first of them. */
  | 'bundle'
  /** The tree is not the one that a checkpoint was made of; the entry id is 0. */
  | 'history';

export interface Finding {
  readonly kind: FindingKind;
  readonly entryId: bigint;
  /** From 1; null: it has none. */
  readonly number: number | null;
}

/** So many open ones of a ledger are enough to know that something is wrong. */
const mostOpen = 10_000;

/** Returns those that were not open before. */
export async function addFindings(
  db: Database,
  ledger: string,
  findings: readonly Finding[],
): Promise<Finding[]> {
  if (findings.length === 0) return [];
  const { rows } = await db.query<{ kind: FindingKind; entryId: string }>(
    `insert into audit.ledger_findings as f (ledger, entry_id, kind, number)
     select $1, * from unnest($2::bigint[], $3::text[], $4::bigint[])
     where (select count(*) from (select from audit.ledger_findings o where o.ledger = $1 and o.resolved_at is null limit ${mostOpen}) as open) < ${mostOpen}
     on conflict (ledger, entry_id, kind) do update set resolved_at = null, found_at = now(), number = excluded.number
       where f.resolved_at is not null
     returning f.kind, f.entry_id::text as "entryId"`,
    [
      ledger,
      findings.map(({ entryId }) => entryId.toString()),
      findings.map(({ kind }) => kind),
      findings.map(({ number }) => number),
    ],
  );
  const isNew = new Set(rows.map(({ kind, entryId }) => `${kind} ${entryId}`));
  return findings.filter(({ kind, entryId }) => isNew.has(`${kind} ${entryId}`));
}

/** A comparison of the leaves `from` to `to` has found only `still`: what was found there before is over. */
export async function resolveFindings(
  db: Database,
  ledger: string,
  { from, to }: { from: number; to: number },
  still: readonly Finding[],
): Promise<void> {
  await db.query(
    `update audit.ledger_findings f set resolved_at = now()
     where f.ledger = $1 and f.resolved_at is null and f.number between $2 and $3 and f.kind <> 'unreadable'
       and not exists (select from unnest($4::bigint[], $5::text[]) as s(entry_id, kind) where s.entry_id = f.entry_id and s.kind = f.kind)`,
    [ledger, from, to, still.map(({ entryId }) => entryId.toString()), still.map(({ kind }) => kind)],
  );
}

/** Rows that had slipped in, and that are not there any more, or are where they were sealed. */
export async function resolveSlippedIn(db: Database, ledger: string): Promise<void> {
  await db.query(
    `update audit.ledger_findings f set resolved_at = now()
     where f.ledger = $1 and f.resolved_at is null and f.kind = 'slipped-in' and not exists (select from audit.entries e
       join audit.ledgers s on s.organization = e.organization where e.id = f.entry_id and s.id = f.ledger
         and (${isUnsealable} or audit.ledger_numbers(s.id, array[e.id]) = '{}'))`,
    [ledger],
  );
}

/** Findings that stand open of an organization's ledger in force, without entries that could not be read. */
export async function countFindings(db: Database, organization: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from audit.ledgers s join audit.ledger_findings f on f.ledger = s.id
     where s.organization = $1 and s.ended_at is null and f.resolved_at is null and f.kind <> 'unreadable'`,
    [organization],
  );
  return rows[0]?.count ?? 0;
}

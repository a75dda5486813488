/**
 * Reads entries by COPY with proof: the first row shows that the statement ran on the primary and that the stream's row, in the
 * very snapshot of the entries, is still the reader's.
 */
import type { Entry } from '../model/entry.ts';
import type { BinaryRow } from './binaryRow.ts';
import { type CopyEnd, type CopyLimits, copyOut } from './copyOut.ts';
import type { Database } from './pool.ts';
import { NotPrimaryError } from './primary.ts';

export type ProvenEnd =
  | CopyEnd
  /** The stream's row does not meet the condition: the reader has lost it. No row was handed on. */
  | { readonly kind: 'stale' }
  /** The next row, or one soon after it, could not be read. The rows that were handed on are good. */
  | { readonly kind: 'broken'; readonly error: unknown };

/**
 * Hands on the rows behind the proof of a `select` made by `withProof`.
 *
 * @throws NotPrimaryError when it ran elsewhere than on the primary; the database's error when nothing at all came back.
 */
export async function copyProven(
  db: Database,
  select: string,
  onRow: (row: BinaryRow) => 'stop' | undefined,
  limits: CopyLimits = {},
): Promise<ProvenEnd> {
  const [end] = await copyAllProven(db, select, 1, onRow, limits);
  // Without an error, and without its proof.
  if (!end) throw new NotPrimaryError();
  return end;
}

/**
 * The same for a `select` that brings the rows of `count` readers, one after the other, each behind a proof of its own, and in the last
 * field (if they are several) whose row it is: 0, 1, 2 … `onRow` is told so; after "stop" the other rows of that one are passed over.
 * Returns how each ended; null: the COPY ended before it began.
 *
 * @throws as `copyProven`.
 */
export async function copyAllProven(
  db: Database,
  select: string,
  count: number,
  onRow: (row: BinaryRow, of: number) => 'stop' | undefined,
  limits: CopyLimits = {},
): Promise<ReadonlyArray<ProvenEnd | null>> {
  const ends: ProvenEnd[] = [];
  const onAnyRow = (row: BinaryRow): 'stop' | undefined => {
    const of = count === 1 ? 0 : row.required(fieldOfNumber).readInt32BE();
    if (of === ends.length) ends.push({ kind: readProof(row) === 'given' ? 'done' : 'stale' });
    // What went to whom cannot be told then.
    else if (of !== ends.length - 1) throw new OutOfOrderError();
    else if (ends[of]?.kind === 'done' && onRow(row, of) === 'stop') ends[of] = { kind: 'stopped' };
    return ends[of]?.kind !== 'done' && of === count - 1 ? 'stop' : undefined;
  };
  try {
    const end = await copyOut(db, select, onAnyRow, limits);
    if (end.kind === 'oversize') endHere(ends, end);
  } catch (error) {
    if (ends.length === 0 || isWorthless(error)) throw error;
    endHere(ends, { kind: 'broken', error });
  }
  return Array.from({ length: count }, (_, n) => ends[n] ?? null);
}

/** Behind the fields that `toEntry` reads. */
const fieldOfNumber = 11;

/** Nothing of the answer can be used. */
function isWorthless(error: unknown): boolean {
  return error instanceof NotPrimaryError || error instanceof OutOfOrderError;
}

class OutOfOrderError extends Error {
  constructor() {
    super('rows of a COPY came in another order than was asked for');
  }
}

/** The row that would have come next is of the last one that began, unless that is over. */
function endHere(ends: ProvenEnd[], end: ProvenEnd): void {
  if (ends.at(-1)?.kind === 'done') ends[ends.length - 1] = end;
}

/**
 * Puts the proof in front of `entries`. Whoever sees the stream's row as it was when the window was pinned has that commit, and so
 * all that the window shows, since those commits came before it. `row` is a table and the condition that finds the row in it.
 *
 * Append runs its parts one after the other; it does so in parallel only where none of them has a LIMIT, so `entries` needs one.
 */
export function withProof(row: string, entries: string): string {
  return `select null::xid8 as xid, (select count(*) from ${row}) as id, not pg_is_in_recovery() as matches,
    ${noTexts}
    union all (${entries})`;
}

/** @throws NotPrimaryError */
function readProof(row: BinaryRow): 'given' | 'stale' {
  // Whatever stands between may have sent anything: only this row in the first place is proof.
  if (row.bytes(0) !== null || row.bytes(2)?.[0] !== 1) throw new NotPrimaryError();
  return row.required(1).readBigInt64BE() === 1n ? 'given' : 'stale';
}

/** Takes the place of the columns of an entry from its uid on. */
const noTexts =
  'null::uuid, null::text, null::text, null::text, null::text, null::text, null::jsonb, null::timestamptz';

/** Select list of an entry's head alone, in the order of `entryFields`. */
export const headFields = `select xid, id, matches, ${noTexts}`;

/** Select list that `toEntry` reads, in its order; without metadata where `matches` is false. */
export function entryFields(matches: string): string {
  return `select xid, id, ${matches}, uid, event_type, actor_id, actor_name, session_type, project,
    case when ${matches} then metadata end, occurred_at`;
}

/** Field 2: whether the filter lets the entry through; null when it was not asked. */
export function matchesOf(row: BinaryRow): boolean | null {
  const matches = row.bytes(2);
  return matches && matches[0] === 1;
}

/** Microseconds from 1970 to 2000, where Postgres counts timestamps from. */
const postgresEpochMicros = 946_684_800_000_000;
const emptyMetadata = new Uint8Array(0);

/** The entry's bytes are those of `row`: valid only as long. */
export function toEntry(row: BinaryRow): Entry {
  return {
    xid: row.required(0).readBigUInt64BE(),
    id: row.required(1).readBigInt64BE(),
    uid: row.required(3),
    eventType: row.required(4),
    actorId: row.bytes(5),
    actorName: row.bytes(6),
    sessionType: row.required(7),
    project: row.bytes(8),
    // Binary jsonb is a version byte, 1, and the text.
    metadata: row.bytes(9)?.subarray(1) ?? emptyMetadata,
    occurredAtMicros: Number(row.required(10).readBigInt64BE()) + postgresEpochMicros,
  };
}

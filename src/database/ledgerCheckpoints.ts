/**
 * Keeps a ledger's checkpoints: what is signed is read back from what is committed, and is stored before it leaves the house.
 */
import { utcMilliseconds } from './fragments.ts';
import { goesOn } from './ledgers.ts';
import type { Database } from './pool.ts';
import { type WantedColumns, wantedRows, wantedValues } from './wanted.ts';
import { durable } from './window.ts';

/** A ledger in force whose checkpoint is due. */
export interface DueLedger {
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly size: number;
  readonly state: Buffer;
  /** The checkpoint before is signed, so the name stays. */
  readonly isSigned: boolean;
  /** The checkpoint before; null: there is none. */
  readonly note: { readonly size: number; readonly root: Buffer } | null;
}

export interface DueOptions {
  /** At least so long after the checkpoint before. */
  readonly intervalMs: number;
  /** There is a key: what was left unsigned is due too. */
  readonly signs: boolean;
  /** Organizations whose ledgers are all due. */
  readonly unchecked: readonly string[];
}

const dueColumns = `s.id, s.organization, s.name, s.size::text, s.state, s.note_size::text as "noteSize", s.note_root as "noteRoot", s.is_signed as "isSigned"`;
type RawDue = Pick<DueLedger, 'id' | 'organization' | 'name' | 'state' | 'isSigned'> & {
  readonly size: string;
  readonly noteSize: string | null;
  readonly noteRoot: Buffer | null;
};

function toDue({ noteSize, noteRoot, size, ...row }: RawDue): DueLedger {
  return {
    ...row,
    size: Number(size),
    note: noteSize === null || noteRoot === null ? null : { size: Number(noteSize), root: noteRoot },
  };
}

/**
 * A collector without a key leaves a signed checkpoint `s` for so long: beside one with a key, such as while a key is handed out, it would
 * put an unsigned one in its place.
 */
const mayBeUnsigned = `(not s.is_signed or s.noted_at < clock_timestamp() - interval '1 hour')`;

/** A look at what is due comes every few seconds: with so many in each, those of ten thousand organizations keep up with their minute. */
const mostDue = 2_000;

/** Ledgers whose checkpoint is due: all that are to be checked, and `mostDue` of those that have waited longest. */
export async function listDueCheckpoints(
  db: Database,
  options: DueOptions,
): Promise<ReadonlyArray<Pick<DueLedger, 'id' | 'organization'>>> {
  const { rows } = await db.query<Pick<DueLedger, 'id' | 'organization'>>(
    `select s.id, s.organization from audit.ledgers s
     where s.ended_at is null and s.stopped is null and (s.organization = any ($3::text[])
       or s.size > 0 and (s.noted_at is null or s.noted_at < clock_timestamp() - $1 * interval '1 millisecond')
         and (s.note_size is distinct from s.size and ($2 or ${mayBeUnsigned}) or $2 and not s.is_signed))
     order by s.organization = any ($3::text[]) desc, s.noted_at nulls first limit ${mostDue} + cardinality($3::text[])`,
    [options.intervalMs, options.signs, options.unchecked],
  );
  return rows;
}

/** The rows as they are committed. Missing are those that are stopped, or no longer in force. */
export async function readDueLedgers(db: Database, ids: readonly string[]): Promise<readonly DueLedger[]> {
  const { rows } = await db.query<RawDue>(
    `select ${dueColumns} from audit.ledgers s where s.id = any ($1::uuid[]) and ${goesOn}`,
    [ids],
  );
  return rows.map(toDue);
}

export interface SignedCheckpoint {
  readonly ledger: DueLedger;
  readonly name: string;
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: Uint8Array;
  readonly isSigned: boolean;
}

const checkpointColumns: WantedColumns<SignedCheckpoint> = {
  id: ['uuid', ({ ledger }) => ledger.id],
  name: ['text', ({ name }) => name],
  note: ['bytea', ({ note }) => note],
  size: ['bigint', ({ size }) => size],
  root: ['bytea', ({ root }) => root],
  is_signed: ['boolean', ({ isSigned }) => isSigned],
  size_before: ['bigint', ({ ledger }) => ledger.note?.size ?? null],
};

/**
 * Stores each, on the disk, if the one before is still the latest: it may be that somebody else's is there. It waits for nobody: a row that is
 * locked keeps its checkpoint for now.
 */
export async function storeCheckpoints(
  db: Database,
  checkpoints: readonly SignedCheckpoint[],
): Promise<void> {
  await db.query(
    `with ${durable}, ${wantedRows('audit.ledgers', checkpointColumns, false)}
     update audit.ledgers s set name = w.name, note = w.note, note_size = w.size, note_root = w.root, noted_at = clock_timestamp(),
       is_signed = w.is_signed
     from durable, wanted w
     where s.id = w.id and ${goesOn} and s.size >= w.size
       and s.note_size is not distinct from w.size_before and (not s.is_signed or s.name = w.name) and (w.is_signed or ${mayBeUnsigned})`,
    wantedValues(checkpointColumns, checkpoints),
  );
}

/** The ledger with the id $1, unless somebody keeps its row locked. */
const free =
  'free as materialized (select s.id from audit.ledgers s where s.id = $1 for no key update skip locked)';

/**
 * Ledgers with a checkpoint that no entry has told of, at least `intervalMs` after the last such entry, or after their beginning; and
 * not when that entry is all that is new.
 */
export async function listUntold(
  db: Database,
  intervalMs: number,
): Promise<ReadonlyArray<{ id: string; note: Buffer; size: number }>> {
  const { rows } = await db.query<{ id: string; note: Buffer; size: string }>(
    `select s.id, s.note, s.note_size::text as size from audit.ledgers s where ${isUntold('$1')} order by s.told_at nulls first limit 500`,
    [intervalMs],
  );
  return rows.map((row) => ({ ...row, size: Number(row.size) }));
}

const isUntold = (intervalMs: string): string => `s.ended_at is null and s.stopped is null
  and coalesce(s.told_at, s.created_at) < now() - ${intervalMs} * interval '1 millisecond'
  and s.note_size > s.told_size + case when s.told_at is null then 0 else 1 end`;

/** Writes the entry `audit_log.sealed` about the checkpoint of that size, once, whoever else tries. Not while the row is locked: it is told later. */
export async function tellSealed(
  db: Database,
  ledger: { id: string; size: number },
  metadata: Readonly<Record<string, unknown>>,
  intervalMs: number,
): Promise<boolean> {
  const result = await db.query(
    `with ${free}, told as (
       update audit.ledgers s set told_size = s.note_size, told_at = now() from free
       where s.id = free.id and s.note_size = $2::bigint and ${isUntold('$3')} returning s.organization)
     insert into audit.entries (organization, event_type, session_type, metadata)
     select organization, 'audit_log.sealed', 'system', $4::jsonb from told`,
    [ledger.id, ledger.size, intervalMs, JSON.stringify(metadata)],
  );
  return result.rowCount === 1;
}

export interface Stop {
  readonly reason: 'DatabaseSetBack';
  /** One or two sentences. */
  readonly message: string;
}

/**
 * Nothing more is sealed or signed, until a person calls audit.restart_ledger. `isAltered`: it is also found, for people, that the tree is not
 * the one that a checkpoint was made of. False: it was stopped already, or its row is locked: try again.
 */
export async function stopLedger(db: Database, id: string, stop: Stop, isAltered: boolean): Promise<boolean> {
  const result = await db.query(
    `with ${free}, stopped as (
       update audit.ledgers s set stopped = $2::jsonb || jsonb_build_object('at', now()) from free
       where s.id = free.id and s.ended_at is null and s.stopped is null returning s.id
     ), found as (
       insert into audit.ledger_findings as f (ledger, entry_id, kind) select stopped.id, 0, 'history' from stopped where $3
       on conflict (ledger, entry_id, kind) do update set resolved_at = null, found_at = now() where f.resolved_at is not null)
     select from stopped`,
    [id, JSON.stringify(stop), isAltered],
  );
  return result.rowCount === 1;
}

/** What people see of an organization's ledger. */
export interface LedgerView {
  readonly organization: string;
  readonly origin: string;
  /** Those of the latest checkpoint; null: there is none. */
  readonly checkpoint: { readonly size: number; readonly root: string; readonly time: string } | null;
  readonly isSigned: boolean;
  readonly stopped: Stop | null;
}

interface RawView extends Omit<LedgerView, 'checkpoint'> {
  readonly size: string | null;
  readonly root: string;
  readonly time: string;
}

/** For the organizations in `$1`. */
const rawViews = `select s.organization, s.name || '/'::text || s.id::text as origin, s.is_signed as "isSigned", s.stopped,
     s.note_size::text as size, encode(s.note_root, 'base64') as root, ${utcMilliseconds('s.noted_at')} as time
   from audit.ledgers s where s.organization = any ($1::text[]) and s.ended_at is null`;

const toView = ({ organization, origin, isSigned, stopped, size, root, time }: RawView): LedgerView => ({
  ...{ organization, origin, isSigned, stopped },
  checkpoint: size === null ? null : { size: Number(size), root, time },
});

export async function readLedgerViews(db: Database, organizations: readonly string[]): Promise<LedgerView[]> {
  return (await db.query<RawView>(rawViews, [organizations])).rows.map(toView);
}

/** Over all organizations. */
export interface LedgerCounts {
  readonly stopped: number;
  /** Findings that stand open. */
  readonly findings: number;
}

/** The same views and, in one statement with them, the counts. */
export async function readLedgers(
  db: Database,
  organizations: readonly string[],
): Promise<{ readonly views: LedgerView[]; readonly counts: LedgerCounts }> {
  const { rows } = await db.query<
    (RawView | { organization: null }) & { stoppedCount: string; findingCount: string }
  >(
    `select c.*, v.* from (
       select (select count(*) from audit.ledgers s where s.ended_at is null and s.stopped is not null) as "stoppedCount",
         (select count(*) from audit.ledger_findings f join audit.ledgers s on s.id = f.ledger
          where f.resolved_at is null and s.ended_at is null and f.kind <> 'unreadable') as "findingCount") c
     left join (${rawViews}) v on true`,
    [organizations],
  );
  return {
    views: rows.flatMap((row) => (row.organization === null ? [] : [toView(row)])),
    counts: { stopped: Number(rows[0]?.stoppedCount), findings: Number(rows[0]?.findingCount) },
  };
}

/** The latest note of an organization's ledger in force; null: there is none. */
export async function readNote(
  db: Database,
  organization: string,
): Promise<{ readonly ledger: string; readonly size: number; readonly note: Buffer } | null> {
  const { rows } = await db.query<{ ledger: string; size: string; note: Buffer }>(
    `select s.id as ledger, s.note_size::text as size, s.note from audit.ledgers s
     where s.organization = $1 and s.ended_at is null and s.note is not null`,
    [organization],
  );
  return rows[0] ? { ...rows[0], size: Number(rows[0].size) } : null;
}

/**
 * Those of the ids that are ledgers in this database: of another organization, or `ledger` itself and those that it follows. One that
 * somebody has ended by hand, so that another one was begun without a word, is none of them.
 */
export async function knownLedgers(
  db: Database,
  ledger: Pick<DueLedger, 'id' | 'organization'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>(
    `with recursive followed (id, follows) as (
       select s.id, s.follows from audit.ledgers s where s.id = $1
       union select s.id, s.follows from followed f join audit.ledgers s on s.id = f.follows)
     select s.id from audit.ledgers s where s.id = any ($3::uuid[])
       and (s.organization <> $2 or s.id in (select f.id from followed f))`,
    [ledger.id, ledger.organization, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

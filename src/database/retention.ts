/**
 * Retention, as the functions of migration 0013 do it: what may go, and for how long entries are kept, is decided in the database. The
 * collector asks it to go on, and reads where it is.
 */
import { boundedRead } from './boundedRead.ts';
import { utcMilliseconds } from './fragments.ts';
import { guardStatements } from './guardedClient.ts';
import type { Database } from './pool.ts';

/** What one call has done. */
export interface Expiry {
  /** Another session works on the organization. */
  readonly busy: boolean;
  readonly deleted: number;
  /** Nothing more is due now. */
  readonly isWhole: boolean;
}

/** What keeps entries of all organizations, as the last looks found it. */
export interface RetentionState {
  /** Entries past their time that stay, by what keeps them. */
  readonly undelivered: number;
  readonly parked: number;
  readonly held: number;
  readonly unsealed: number;
  /** Since when, in seconds, the longest of them waits for a destination or to be sealed; 0: none does. */
  readonly waitingSeconds: number;
}

/** Whether entries of any organization are kept for less than forever, or were until now, which is to be told. */
export async function isAnyRetained(db: Database): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>(
    `select exists (select from audit.retention where keep is not null)
       or exists (select from audit.retention_progress where keep is not null) as any`,
  );
  return rows[0]?.any === true;
}

/** An organization that is due, other than those in `skipped`; null: none is. One of the first, so that replicas seldom meet. */
export async function findDue(db: Database, skipped: readonly string[] = []): Promise<string | null> {
  const { rows } = await db.query<{ organization: string }>(
    `select organization from (
       select organization from audit.retention_progress where next_look_at <= clock_timestamp() and organization <> all ($1::text[])
       order by next_look_at limit 8) as due
     order by random() limit 1`,
    [skipped],
  );
  return rows[0]?.organization ?? null;
}

/** Adds organizations that have entries and are not known yet. False: some are left, ask again. */
export async function findOrganizations(db: Database): Promise<boolean> {
  const { rows } = await db.query<{ isWhole: boolean }>(
    'select audit.find_retained_organizations() as "isWhole"',
  );
  return rows[0]?.isWhole === true;
}

/**
 * Deletes up to `most` entries of the organization whose time has come; see the function of that name. What a crash brings back goes
 * again, so the product's inserts do not wait for a disk that writes this.
 */
export async function deleteExpired(db: Database, organization: string, most: number): Promise<Expiry> {
  const client = await db.connect();
  let failure: Error | undefined;
  try {
    // Whatever the default is for the role or the database.
    await client.query(
      `begin isolation level read committed; ${guardStatements} set local synchronous_commit = off`,
    );
    const { rows } = await client.query<{ busy: boolean; deleted: number; isWhole: boolean }>(
      'select busy, deleted, is_whole as "isWhole" from audit.delete_expired($1, $2)',
      [organization, most],
    );
    await client.query('commit');
    const [row] = rows;
    if (!row) throw new Error('audit.delete_expired returned nothing');
    return row;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    // A connection that has failed within a transaction is closed, which rolls it back.
    client.release(failure);
  }
}

/** What keeps entries past their time. */
export async function readRetentionState(db: Database): Promise<RetentionState> {
  const { rows } = await db.query<Record<'undelivered' | 'parked' | 'held' | 'unsealed' | 'seconds', string>>(
    `select coalesce(sum(undelivered), 0) as undelivered, coalesce(sum(parked), 0) as parked, coalesce(sum(held), 0) as held, coalesce(sum(unsealed), 0) as unsealed,
       coalesce(extract(epoch from clock_timestamp() - min(waiting_since)), 0) as seconds from audit.retention_progress`,
  );
  const [row] = rows;
  return {
    undelivered: Number(row?.undelivered),
    parked: Number(row?.parked),
    held: Number(row?.held),
    unsealed: Number(row?.unsealed),
    waitingSeconds: Number(row?.seconds),
  };
}

export type DaysInForce =
  | { readonly kind: 'in-force' }
  /** '*' has been set by SQL, which counts. `keep`: its period; null: forever. */
  | { readonly kind: 'overruled'; readonly keep: string | null }
  /** This role may not set it; the migration does. */
  | { readonly kind: 'not-allowed'; readonly keep: string | null };

/** Makes `days` the period of all organizations without one of their own; null: the setting is not set. */
export async function useRetentionDays(db: Database, days: number | null): Promise<DaysInForce> {
  const { rows } = await db.query<{ allowed: boolean; same: boolean; keep: string | null }>(
    `select has_function_privilege('audit.use_retention_days(integer)', 'execute') as allowed, r.keep::text as keep,
       $1::integer is null or coalesce(r.keep::text = make_interval(days => $1::integer)::text, false) as same
     from (select) as one left join audit.retention r on r.organization = '*'`,
    [days],
  );
  const { allowed = false, same = false, keep = null } = rows[0] ?? {};
  if (!allowed) return same ? { kind: 'in-force' } : { kind: 'not-allowed', keep };
  const used = await db.query<{ holds: boolean }>('select audit.use_retention_days($1) as holds', [days]);
  return used.rows[0]?.holds ? { kind: 'in-force' } : { kind: 'overruled', keep };
}

/** What an organization's admins see of it. Times are RFC 3339. */
export interface RetentionView {
  /** An interval as Postgres writes it; null: forever. */
  readonly keep: string | null;
  /** The oldest entry; null: there is none. */
  readonly oldestAt: string | null;
  /** Entries past their time that stay, by what keeps them. */
  readonly undelivered: number;
  readonly parked: number;
  readonly held: number;
  readonly unsealed: number;
  /** Destinations that have not taken them, ten at the most. */
  readonly waitsFor: readonly string[];
  readonly waitingSince: string | null;
  readonly deleted: number;
  readonly holds: ReadonlyArray<{
    readonly id: string;
    readonly reason: string;
    readonly since: string | null;
    readonly until: string | null;
    readonly actor: string | null;
    readonly placedAt: string;
  }>;
}

const viewTimeoutMs = 2_000;

/** @throws the database's error, including a timeout. */
export function readRetention(db: Database, organization: string): Promise<RetentionView> {
  return boundedRead(db, viewTimeoutMs, async (reader) => {
    const [row] = await reader.query<Omit<RetentionView, 'holds'>>(
      `select audit.retention_of($1)::text as keep,
         (select ${utcMilliseconds('e.occurred_at')} from audit.entries e where e.organization = $1 order by e.occurred_at limit 1) as "oldestAt",
         coalesce(p.undelivered, 0)::float8 as undelivered, coalesce(p.parked, 0)::float8 as parked, coalesce(p.held, 0)::float8 as held,
         coalesce(p.unsealed, 0)::float8 as unsealed,
         coalesce(p.deleted, 0)::float8 as deleted, coalesce(p.waits_for, '{}') as "waitsFor",
         ${utcMilliseconds('p.waiting_since')} as "waitingSince"
       from (select) as one left join audit.retention_progress p on p.organization = $1`,
      [organization],
    );
    const holds = await reader.query<RetentionView['holds'][number]>(
      `select id::text, reason, ${utcMilliseconds('since')} as since, ${utcMilliseconds('until')} as until, actor_id as actor,
         ${utcMilliseconds('placed_at')} as "placedAt"
       from audit.holds where organization in ($1, '*') and released_at is null order by id limit 100`,
      [organization],
    );
    if (!row) throw new Error('one row comes always');
    return { ...row, holds };
  });
}

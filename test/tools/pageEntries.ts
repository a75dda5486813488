/** Entries with everything that the page shows. */
import { makeEntries, type NewEntry } from '../../cmd/demo/product/entries.ts';
import { makeRandom } from '../../cmd/demo/product/random.ts';
import type { Database } from '../../src/database/pool.ts';

export interface PageEntry {
  readonly organization?: string;
  readonly eventType?: string;
  readonly actorId?: string | null;
  readonly actorName?: string | null;
  readonly sessionType?: string;
  readonly project?: string | null;
  /** JSON text. */
  readonly metadata?: string;
  readonly occurredAt?: Date;
}

/** Returns ids in order. */
export async function writePageEntries(db: Database, entries: readonly PageEntry[]): Promise<string[]> {
  const column = <T>(value: (entry: PageEntry) => T): T[] => entries.map(value);
  const result = await db.query<{ id: string }>(
    `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
     select o, t, i, a, s, p, m, coalesce(at, now())
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
       with ordinality as e(o, t, i, a, s, p, m, at, n)
     order by n returning id::text`,
    [
      column((entry) => entry.organization ?? 'acme'),
      column((entry) => entry.eventType ?? 'flow.created'),
      column((entry) => (entry.actorId === undefined ? 'u-1' : entry.actorId)),
      column((entry) => (entry.actorName === undefined ? 'Grace Hopper' : entry.actorName)),
      column((entry) => entry.sessionType ?? 'user'),
      column((entry) => entry.project ?? null),
      column((entry) => entry.metadata ?? '{}'),
      column((entry) => entry.occurredAt ?? null),
    ],
  );
  return result.rows.map((row) => row.id);
}

/** `count` entries of a believable product, all of `organization`, three minutes apart up to now. */
export function makePageEntries(count: number, organization = 'acme', seed = 1): PageEntry[] {
  const random = makeRandom(seed);
  const now = Date.now();
  return Array.from({ length: count }, (_, index): PageEntry => {
    const occurredAt = new Date(now - (count - index) * 180_000);
    const [entry] = makeEntries(random, occurredAt, 1) as [NewEntry];
    return { ...entry, organization };
  });
}

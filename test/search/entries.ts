/** Entries with all their columns, and queries, for tests of the search. */
import { type EntryQuery, noConditions } from '../../src/database/entryQuery.ts';
import type { Database } from '../../src/database/pool.ts';

export interface TestEntry {
  readonly organization?: string;
  readonly eventType?: string;
  readonly actorId?: string | null;
  readonly actorName?: string | null;
  readonly sessionType?: string;
  readonly project?: string | null;
  /** JSON text. */
  readonly metadata?: string;
  readonly occurredAt?: string;
}

/** In one statement; returns the ids in order. */
export async function writeEntries(
  db: Pick<Database, 'query'>,
  entries: readonly TestEntry[],
): Promise<string[]> {
  const column = (pick: (entry: TestEntry) => string | null | undefined, otherwise: string | null) =>
    entries.map((entry) => pick(entry) ?? otherwise);
  const result = await db.query<{ id: string }>(
    `insert into audit.entries (organization, event_type, actor_id, actor_name, session_type, project, metadata, occurred_at)
     select o, t, a, n, s, p, m, coalesce(at, now())
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
       with ordinality as e(o, t, a, n, s, p, m, at, i) order by i returning id::text`,
    [
      column((e) => e.organization, 'acme'),
      column((e) => e.eventType, 'flow.created'),
      column((e) => e.actorId, null),
      column((e) => e.actorName, null),
      column((e) => e.sessionType, 'user'),
      column((e) => e.project, null),
      column((e) => e.metadata, '{}'),
      column((e) => e.occurredAt, null),
    ],
  );
  return result.rows.map((row) => row.id);
}

export function queryOf(query: Partial<EntryQuery> = {}): EntryQuery {
  return { ...noConditions, organization: 'acme', from: null, to: null, ...query };
}

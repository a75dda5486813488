/** The event types that an organization has. */
import { boundedRead } from './boundedRead.ts';
import type { Database } from './pool.ts';

/** The page offers links made of them beside the list, which does not wait longer. */
const timeoutMs = 250;
const mostEventTypes = 1_000;

/** The first 1,000 in Postgres's order; one index probe each. @throws the database's error, including a timeout. */
export async function listEventTypes(db: Database, organization: string): Promise<string[]> {
  const rows = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<{ event_type: string }>(
      `with recursive types as (
         (select event_type from audit.entries where organization = $1 order by event_type limit 1)
         union all
         select (select e.event_type from audit.entries e where e.organization = $1 and e.event_type > types.event_type
           order by e.event_type limit 1)
         from types where types.event_type is not null)
       select event_type from types where event_type is not null limit $2`,
      [organization, mostEventTypes],
    ),
  );
  return rows.map((row) => row.event_type);
}

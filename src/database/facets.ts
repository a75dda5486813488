/** Reads the values that the page offers to choose from and to filter by. */
import { boundedRead } from './boundedRead.ts';
import type { Database } from './pool.ts';

export interface Facets {
  readonly projects: readonly string[];
  readonly sessionTypes: readonly string[];
  readonly actors: readonly Actor[];
}

export interface Actor {
  readonly id: string | null;
  readonly name: string | null;
}

const timeoutMs = 3_000;
const mostEventTypes = 2_000;
const mostFacets = 500;
/** Suggestions while typing, read with each whole page: 5,000 entries took 44 ms among ten million. */
const newestRows = 1_000;

/** The first 2,000 event types of an organization in Postgres's order; one index probe each. */
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

/** Projects, session types and actors of the newest 1,000 entries, the most frequent 500 of each, sorted by name. */
export async function readFacets(db: Database, organization: string): Promise<Facets> {
  const [row] = await boundedRead(db, timeoutMs, (reader) =>
    reader.query<Facets>(
      `with newest as materialized (
         select ${['project', 'session_type', 'actor_id', 'actor_name'].map(ifShort).join(', ')} from audit.entries where organization = $1
         order by occurred_at desc, id desc limit ${newestRows})
       select array(select project from (select project from newest where project is not null group by 1 order by count(*) desc limit $2) p order by 1) as projects,
         array(select session_type from (select session_type from newest where session_type is not null group by 1 order by count(*) desc limit $2) s order by 1) as "sessionTypes",
         coalesce((select json_agg(json_build_object('id', actor_id, 'name', actor_name) order by coalesce(actor_name, actor_id), actor_id)
           from (select actor_id, actor_name from newest where actor_id is not null or actor_name is not null
             group by 1, 2 order by count(*) desc limit $2) a), '[]') as actors`,
      [organization, mostFacets],
    ),
  );
  return row ?? { projects: [], sessionTypes: [], actors: [] };
}

/** Leaves out values longer than a filter's 256 characters, by their stored length, so that they are not even read. */
function ifShort(column: string): string {
  return `case when octet_length(${column}) <= 1024 then ${column} end as ${column}`;
}

/**
 * Organizations that have entries, by name, `most` at most. Jumps from one to the next in an index: its cost is their
 * number, not that of their entries.
 */
export async function listOrganizations(db: Database, most: number): Promise<string[]> {
  const { rows } = await db.query<{ organization: string }>(
    `with recursive organizations as (
       (select organization from audit.entries order by organization limit 1)
       union all
       select next.organization from organizations o, lateral (
         select e.organization from audit.entries e where e.organization > o.organization
         order by e.organization limit 1) as next)
     select organization from organizations limit $1`,
    [most],
  );
  return rows.map((row) => row.organization);
}

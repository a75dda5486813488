/** Which organizations have entries. */
import type { Database } from './pool.ts';

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

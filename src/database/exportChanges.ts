/** Who changed a config last, according to the page's own audit entries. */
import { pageChanges } from './configChanges.ts';
import { utcMilliseconds } from './fragments.ts';
import type { Database } from './pool.ts';

export interface LastChange {
  readonly actorId: string | null;
  readonly actorName: string | null;
  /** RFC 3339. */
  readonly occurredAt: string;
}

/** The change of the last hour, because this is asked when a save has just lost to another change; null: the page did not make it. */
export async function findLastChange(
  db: Database,
  organization: string,
  destination: string,
): Promise<LastChange | null> {
  const result = await db.query<LastChange>(
    `select e.actor_id as "actorId", e.actor_name as "actorName", ${utcMilliseconds('e.occurred_at')} as "occurredAt"
     from audit.entries e
     where e.organization = $1 and e.event_type = any ($2) and e.occurred_at > now() - interval '1 hour'
       and e.metadata ->> 'destination' = $3
     order by e.occurred_at desc, e.id desc limit 1`,
    [organization, pageChanges, destination],
  );
  return result.rows[0] ?? null;
}

/** Gives the collector's role its rights as part of a migration, so that a first install needs no manual step. */
import { isPostgresError } from '../telemetry/sqlState.ts';
import type { Database } from './pool.ts';

/** null: it has them. Else one sentence. Safe to repeat. @throws the database's error if the cause is not the role. */
export async function grantCollector(db: Database, role: string): Promise<string | null> {
  try {
    await db.query('select audit.grant_collector($1::name)', [role]);
    return null;
  } catch (error) {
    if (!(error instanceof Error && isPostgresError(error))) throw error;
    switch (error.code) {
      case '42704':
        return `COLLECTOR_ROLE is ${JSON.stringify(role)}, which the database does not know: create the role (create role … login), or correct the name.`;
      case '42501':
        return `COLLECTOR_ROLE is ${JSON.stringify(role)}, but this role may not give it its rights: migrate as the owner of the schema audit, or leave COLLECTOR_ROLE out and call audit.grant_collector as the owner.`;
      default:
        throw error;
    }
  }
}

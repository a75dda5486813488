/** Is this a database that the collector can work with? Asked at boot and by /readyz. */
import { describeDatabaseFailure } from './failure.ts';
import { checkSchema, type Migration } from './migrate.ts';
import type { Database } from './pool.ts';

export type DatabaseCheck =
  | { readonly kind: 'ok'; readonly version: string }
  | { readonly kind: 'failed'; readonly problem: string };

/** xid8 and pg_snapshot came with 13; 14 is the oldest that is tested. */
const oldestVersion = 140_000;

/** Reachable, new enough, a primary. The problem is one sentence. */
export async function checkServer(db: Database): Promise<DatabaseCheck> {
  try {
    const result = await db.query<{ number: number; version: string; standby: boolean }>(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
         pg_is_in_recovery() as standby`,
    );
    const row = result.rows[0];
    if (!row || row.number < oldestVersion) {
      return { kind: 'failed', problem: `Postgres ${row?.version} is too old: 14 or newer is needed.` };
    }
    if (row.standby) {
      return {
        kind: 'failed',
        problem:
          'DATABASE_URL names a standby: it must name the primary, since only there a snapshot is exact.',
      };
    }
    return { kind: 'ok', version: row.version };
  } catch (error) {
    return { kind: 'failed', problem: `The database cannot be used: ${describeDatabaseFailure(error)}` };
  }
}

/** Up to date (a newer schema that is not breaking is fine), and open to the collector's role. */
export async function checkTables(db: Database, own: readonly Migration[]): Promise<DatabaseCheck> {
  try {
    const schema = await checkSchema(db, own);
    switch (schema.kind) {
      case 'too-new':
        return { kind: 'failed', problem: schema.problem };
      case 'behind':
        return {
          kind: 'failed',
          problem: `The database lacks migration ${schema.missing.join(', ')}: run \`node cmd/migrate.ts\`.`,
        };
      case 'current':
        break;
    }
    const rights = await db.query<{ lacking: string[]; role: string }>(
      `select current_user as role, array(
         select table_name || ' (' || privilege || ')'
         from (values ('entries', 'SELECT'), ('streams', 'SELECT'), ('streams', 'INSERT'), ('streams', 'UPDATE'), ('replicas', 'INSERT'),
           ('replicas', 'UPDATE'), ('replicas', 'DELETE'), ('parked', 'INSERT'), ('parked', 'UPDATE'), ('parked', 'DELETE'), ('clusters', 'INSERT'),
           ('stream_history', 'INSERT'), ('stream_filters', 'INSERT'), ('replayed', 'INSERT'), ('page_sessions', 'INSERT'), ('search_positions', 'INSERT'),
           ('search_blocks', 'INSERT'))
           as needed(table_name, privilege)
         where not has_table_privilege('audit.' || table_name, privilege)
         union all
         -- Where it may not write an entry about it, the page lets nobody change anything.
         select 'entries (INSERT of ' || column_name || ')'
         from unnest('{organization,event_type,actor_id,actor_name,session_type,project,metadata}'::text[]) as written(column_name)
         where not has_column_privilege('audit.entries', column_name, 'INSERT')) as lacking`,
    );
    const { lacking = [], role = '' } = rights.rows[0] ?? {};
    if (lacking.length > 0) {
      return {
        kind: 'failed',
        problem: `The role ${role} lacks rights in schema audit: ${lacking.join(', ')}. As the schema's owner run select audit.grant_collector('${role}').`,
      };
    }
    return { kind: 'ok', version: '' };
  } catch (error) {
    return { kind: 'failed', problem: `The database cannot be used: ${describeDatabaseFailure(error)}` };
  }
}

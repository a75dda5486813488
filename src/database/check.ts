/** Is this a database that the collector can work with? Asked at boot and by /readyz. A migration gives its role the rights. */
import { isPostgresError } from '../telemetry/sqlState.ts';
import { describeDatabaseFailure } from './failure.ts';
import { checkSchema, type Migration } from './migrate.ts';
import type { Database } from './pool.ts';

export type DatabaseCheck =
  | { readonly kind: 'ok'; readonly version: string }
  | { readonly kind: 'failed'; readonly problem: string };

/** xid8 and pg_snapshot came with 13; 14 is the oldest version that is tested. */
const oldestVersion = 140_000;

/** Checks that the database is reachable, new enough, a primary, and in UTF-8. The problem is one sentence. */
export async function checkServer(db: Database): Promise<DatabaseCheck> {
  try {
    const result = await db.query<{ number: number; version: string; standby: boolean; encoding: string }>(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
         pg_is_in_recovery() as standby, current_setting('server_encoding') as encoding`,
    );
    const row = result.rows[0];
    if (!row || row.number < oldestVersion) {
      return failed(`Postgres ${row?.version} is too old: 14 or newer is needed.`);
    }
    if (row.standby) {
      return failed(
        'DATABASE_URL names a standby: it must name the primary, since only there a snapshot is exact.',
      );
    }
    if (row.encoding !== 'UTF8') {
      return failed(
        `The database is encoded in ${row.encoding}, in which not every entry can be kept and read exactly: name one in DATABASE_URL that was made with encoding 'UTF8' template template0.`,
      );
    }
    return { kind: 'ok', version: row.version };
  } catch (error) {
    return failed(`The database cannot be used: ${describeDatabaseFailure(error)}`);
  }
}

/** Privileges by table, in the order in which those that lack are named. */
const needed: Readonly<Record<string, readonly string[]>> = {
  entries: ['SELECT'],
  streams: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  replicas: ['INSERT', 'UPDATE', 'DELETE'],
  parked: ['INSERT', 'UPDATE', 'DELETE'],
  clusters: ['INSERT'],
  stream_history: ['INSERT'],
  stream_filters: ['INSERT'],
  replayed: ['INSERT'],
  page_sessions: ['INSERT'],
  search_positions: ['INSERT'],
  search_blocks: ['INSERT'],
  ledgers: ['INSERT', 'UPDATE'],
  ledger_bundles: ['INSERT', 'UPDATE'],
  ledger_findings: ['INSERT', 'UPDATE'],
};
const neededPairs = Object.entries(needed).flatMap(([table, privileges]) =>
  privileges.map((privilege) => [table, privilege]),
);

/** Columns of an entry about the page itself: what a user does there must be recorded. */
const writtenColumns = 'organization event_type actor_id actor_name session_type project metadata'.split(' ');

/** Checks that the schema is up to date (a newer one that is not breaking is fine) and accessible to the collector's role. */
export async function checkTables(db: Database, own: readonly Migration[]): Promise<DatabaseCheck> {
  try {
    const schema = await checkSchema(db, own);
    if (schema.kind === 'too-new') return failed(schema.problem);
    if (schema.kind === 'behind')
      return failed(
        `The database lacks migration ${schema.missing.join(', ')}: run \`node cmd/migrate.ts\`.`,
      );
    const rights = await db.query<{ lacking: string[]; hidden: string[]; role: string }>(
      `select current_user as role, array(
           select table_name || ' ('::text || privilege || ')'::text
           from unnest($1::text[], $2::text[]) as needed(table_name, privilege)
           where not has_table_privilege('audit.'::text || table_name, privilege)
           union all
           select 'entries (INSERT of '::text || name || ')'::text from unnest($3::text[]) as name
           where not has_column_privilege('audit.entries'::text, name, 'INSERT'::text)) as lacking,
         array(select relname::text from pg_class where relnamespace = to_regnamespace('audit'::text)::oid
           and relkind = 'r'::"char" and row_security_active(oid) order by 1) as hidden`,
      [neededPairs.map(([table]) => table), neededPairs.map(([, privilege]) => privilege), writtenColumns],
    );
    const { lacking = [], hidden = [], role = '' } = rights.rows[0] ?? {};
    if (lacking.length > 0) {
      return failed(
        `The role ${role} lacks rights in schema audit: ${lacking.join(', ')}. As the schema's owner run select audit.grant_collector('${role}').`,
      );
    }
    if (hidden.length > 0) {
      return failed(
        `Row level security hides rows of ${hidden.map((name) => `audit.${name}`).join(', ')} from the role ${role}, so that entries would never be seen: run alter table … disable row level security, or alter role ${role} bypassrls.`,
      );
    }
    return { kind: 'ok', version: '' };
  } catch (error) {
    return failed(`The database cannot be used: ${describeDatabaseFailure(error)}`);
  }
}

function failed(problem: string): DatabaseCheck {
  return { kind: 'failed', problem };
}

/** Gives the collector's role its rights: a first install then needs no hand in between. null: it has them. Else one sentence. May be repeated. @throws the database's error for what is no matter of the role. */
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

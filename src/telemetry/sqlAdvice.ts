/**
 * What an SQLSTATE means for the operator of the collector: one table for the status of a stream, the probes, the log and the page.
 * Codes and classes are from PostgreSQL's Appendix A.
 */

interface Advice {
  /** A sentence that begins in lower case, unless with a name: what is wrong, and what to do. */
  readonly words: string;
  /** The error may pass, or has nothing to do with the request: trying again is right. */
  readonly passes: boolean;
}

const passing = (words: string): Advice => ({ words, passes: true });
const lasting = (words: string): Advice => ({ words, passes: false });

/** Advice by code, or else by the two characters of its class. */
const table: Readonly<Record<string, Advice>> = {
  '08': passing(
    'the connection to Postgres or to a pooler failed: check both, and the network between them.',
  ),
  '08P01': passing(
    'Postgres, or a pooler in front of it, rejects the protocol that the collector uses: a pooler must work in transaction or session mode.',
  ),
  '22': lasting('Postgres cannot read or convert a value (class 22): its log says which.'),
  '22P05': lasting('a character cannot be converted to UTF-8: the database must be encoded in UTF8.'),
  '23': lasting(
    'a constraint of the schema audit refuses a row (class 23): the log of the collector names it.',
  ),
  '25': passing(
    'a transaction is not in the expected state: a pooler may be handing over sessions in the middle of a transaction.',
  ),
  '25006': passing(
    'the database is read-only: DATABASE_URL must name the primary, because only there a snapshot is exact, and default_transaction_read_only must be off.',
  ),
  '25P03': passing(
    'Postgres ended an idle transaction: raise idle_in_transaction_session_timeout for the role.',
  ),
  '25P04': passing(
    'Postgres ended a transaction that took too long: raise transaction_timeout for the role.',
  ),
  '26': passing(
    'a prepared statement is gone: a pooler in front of Postgres must work in transaction or session mode.',
  ),
  '28': passing('Postgres refuses the user of DATABASE_URL: check the role and pg_hba.conf.'),
  '28P01': passing('Postgres refuses the user name or password of DATABASE_URL.'),
  '3D': passing('the database named in DATABASE_URL does not exist.'),
  '3F': lasting('the schema audit does not exist: run `node cmd/migrate.ts`.'),
  '40': passing('transactions conflicted, and will be tried again.'),
  '40001': passing(
    'transactions keep conflicting: set default_transaction_isolation of the role to read committed.',
  ),
  '42': lasting('the schema audit is not what this version expects: run `node cmd/migrate.ts`.'),
  '42501': lasting(
    "the role of DATABASE_URL lacks a permission, or row level security hides rows from it: run `select audit.grant_collector('ROLE')` as the schema's owner, and disable row level security on the tables of audit.",
  ),
  '42703': lasting('a column of the schema audit is missing: run `node cmd/migrate.ts`.'),
  '42P01': lasting('a table of the schema audit is missing: run `node cmd/migrate.ts`.'),
  '53': passing('Postgres lacks resources: check its memory, disk and connections.'),
  '53100': passing('the disk of Postgres is full: make room.'),
  '53200': passing('Postgres is out of memory: lower work_mem or the load, or give it more.'),
  '53300': passing('Postgres has no connection left: raise max_connections or lower DATABASE_POOL_SIZE.'),
  '54': lasting(
    'an entry or a statement is larger than Postgres can handle: entries from before migration 0005 may be; make them smaller or delete them.',
  ),
  '55': passing('something in Postgres is in use or not ready (class 55): its log says what.'),
  '55P03': passing(
    'a table of the schema audit is locked by another transaction: end that transaction; pg_stat_activity and pg_locks show it.',
  ),
  '57': passing('an operator of Postgres, or a setting, intervened (class 57): its log says what.'),
  '57014': passing(
    'a statement took too long, or was cancelled: raise statement_timeout of the role, or check the load of Postgres and its locks.',
  ),
  '57P01': passing('Postgres is shutting down or ended the connection.'),
  '57P02': passing('Postgres crashed and is starting again.'),
  '57P03': passing('Postgres is starting up or shutting down.'),
  '57P05': passing('Postgres ended an idle connection: raise idle_session_timeout for the role.'),
  '58': passing('the system under Postgres failed (class 58): check its log and its disk.'),
  XX: lasting('Postgres found an internal error or damaged data (class XX): check its log and its disk.'),
};

function find(sqlState: string): Advice | undefined {
  return table[sqlState] ?? table[sqlState.slice(0, 2)];
}

/** A sentence that begins in lower case, for every code. */
export function adviseOnSqlState(sqlState: string): string {
  return find(sqlState)?.words ?? `Postgres reports the error ${sqlState}: its log says more.`;
}

/** Whether the cause is the state of the server or of the connection, which may pass, rather than the statement or its data. */
export function isPassing(sqlState: string): boolean {
  return find(sqlState)?.passes ?? false;
}

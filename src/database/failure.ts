/** Says what is wrong with the database in one sentence, without values of rows or of the connection's password. */

const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Postgres refuses connections: is it running, and are host and port of DATABASE_URL right?',
  ENOTFOUND: "the host of DATABASE_URL cannot be resolved: check the name, or the cluster's DNS.",
  EAI_AGAIN: "the host of DATABASE_URL cannot be resolved right now: check the name, or the cluster's DNS.",
  ETIMEDOUT: 'Postgres does not answer: check host, port and firewall of DATABASE_URL.',
  ECONNRESET: 'the connection to Postgres was cut.',
  EPIPE: 'the connection to Postgres was cut.',
  '28P01': 'Postgres refuses the user name or password of DATABASE_URL.',
  '28000': 'Postgres refuses the user of DATABASE_URL: check the role and pg_hba.conf.',
  '3D000': 'the database named in DATABASE_URL does not exist.',
  '3F000': 'the schema audit does not exist: run `node cmd/migrate.ts`.',
  '42P01': 'a table of the schema audit is missing: run `node cmd/migrate.ts`.',
  '42703': 'a column of the schema audit is missing: run `node cmd/migrate.ts`.',
  '42501':
    "the role of DATABASE_URL lacks a permission: run `select audit.grant_collector('ROLE')` as the schema's owner.",
  '53300': 'Postgres has no connection left: raise max_connections or lower DATABASE_POOL_SIZE.',
  '57P01': 'Postgres is shutting down or ended the connection.',
  '57P03': 'Postgres is starting up or shutting down.',
  AE001:
    'a read was answered by a standby, which may lack entries: DATABASE_URL must name the primary, and a pooler must not balance statements.',
  '25006':
    'the database is read-only: DATABASE_URL must name the primary, since only there a snapshot is exact.',
};

/** False for an error that is not the database's: a bug of ours, which no waiting mends. */
export function isDatabaseFailure(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    typeof code === 'string' ||
    (typeof message === 'string' && (timedOut.test(message) || wasCut.test(message)))
  );
}

// node-postgres gives these no code.
const timedOut = /timeout/i;
const wasCut = /terminated|ended|not queryable|closed/i;

/** A sentence that begins in lower case, for use after "The database cannot be used: ". */
export function describeDatabaseFailure(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string') return byCode[code] ?? `Postgres error ${code}.`;
  const text = typeof message === 'string' ? message : '';
  if (timedOut.test(text)) return 'Postgres does not answer in time.';
  if (wasCut.test(text)) return 'the connection to Postgres was cut.';
  return 'the connection to Postgres failed.';
}

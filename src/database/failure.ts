/** Says what is wrong with the database in one sentence, without values of rows or of the connection's password. */

import { errorCode } from '../basics/errorCode.ts';
import { adviseOnSqlState, isPassing } from '../telemetry/sqlAdvice.ts';
import { isPostgresError } from '../telemetry/sqlState.ts';

const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Postgres refuses connections: is it running, and are host and port of DATABASE_URL right?',
  ENOTFOUND: "the host of DATABASE_URL cannot be resolved: check the name, or the cluster's DNS.",
  EAI_AGAIN: "the host of DATABASE_URL cannot be resolved right now: check the name, or the cluster's DNS.",
  ETIMEDOUT: 'Postgres does not answer: check host, port and firewall of DATABASE_URL.',
  ECONNRESET: 'the connection to Postgres was cut.',
  EPIPE: 'the connection to Postgres was cut.',
  AE001:
    'a read was answered by a standby: DATABASE_URL must lead to the primary alone, so switch load balancing of reads off in the pooler in between.',
  EHOSTUNREACH: 'no network leads to the host of DATABASE_URL: check host and routes.',
};

/** Whether this is a serialization failure or deadlock: the same statement should succeed when tried again. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(errorCode(error));
}

/** False for an error that is not the database's: our own bug, which waiting does not fix. */
export function isDatabaseFailure(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    typeof code === 'string' ||
    (typeof message === 'string' &&
      (timedOut.test(message) || wasCut.test(message) || lacksTls.test(message)))
  );
}

// node-postgres sets no code on these.
const timedOut = /timeout/i;
const lacksTls = /does not support SSL/i;
const wasCut = /terminated|ended|not queryable|closed/i;

/** What node-postgres says without a code when its pool waited in vain, a socket broke, or an answer did not come. */
const noAnswer = /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout)/;

/**
 * True when the database did not answer, or its state keeps it from answering, so that the same may work in a moment. False for
 * everything that trying again cannot change.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isPostgresError(error)) return isPassing(error.code);
  if ('code' in error && typeof error.code === 'string') return Object.hasOwn(byCode, error.code);
  return noAnswer.test(error.message);
}

/** A sentence that begins in lower case, for use after "The database cannot be used: ". */
export function describeDatabaseFailure(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (error instanceof Error && isPostgresError(error)) return adviseOnSqlState(error.code);
  if (typeof code === 'string')
    return byCode[code] ?? `the connection to Postgres failed (${code}): check DATABASE_URL.`;
  const text = typeof message === 'string' ? message : '';
  if (timedOut.test(text)) return 'Postgres does not answer in time.';
  if (lacksTls.test(text))
    return 'Postgres offers no TLS, and sslmode of DATABASE_URL asks for it: turn ssl on in Postgres, or choose another sslmode.';
  if (wasCut.test(text)) return 'the connection to Postgres was cut.';
  return 'the connection to Postgres failed.';
}

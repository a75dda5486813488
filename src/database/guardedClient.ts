/**
 * Sends with each statement what it needs of its session, in the same round trip and for that transaction alone. Neither a role's
 * settings nor a pooler that hands out another session each time can undo it, and nothing of it stays behind.
 */
import pg from 'pg';
import { toPrimary } from './primary.ts';

/**
 * - `search_path`: with another one, a function or an operator that somebody made in `public`, or in a schema with the role's name, can
 *   match better than Postgres's own, and would run with the collector's rights (CVE-2018-1058).
 * - `row_security`: an error where a policy would hide rows. An entry that is not seen would be passed over for ever.
 * - `lock_timeout`: below the client's deadline, so that a table that is locked for minutes gathers no backends behind a pooler.
 * - `array_nulls`: nulls in arrays are nulls, whatever the role's setting.
 */
const settings = {
  search_path: 'pg_catalog, pg_temp',
  row_security: 'off',
  array_nulls: 'on',
  lock_timeout: '45s',
};

/** Names written out: it runs before there is a path to rely on. Transaction-local. */
const guardSelect = `${toPrimary}select ${Object.entries(settings)
  .map(
    ([name, value]) => `pg_catalog.set_config('${name}'::pg_catalog.text, '${value}'::pg_catalog.text, true)`,
  )
  .join(', ')}`;

/** The same, to stand before a statement in one text of several (simple protocol), and after `begin`. It returns no rows. */
export const guardStatements = Object.entries(settings)
  .map(([name, value]) => `set local ${name} to ${name === 'lock_timeout' ? `'${value}'` : value};`)
  .join(' ');

/** Statements that name functions, operators or rows. Others (`begin`, `vacuum`) cannot all run beside another one. */
const isGuarded = /^\s*(?:with|select|insert|update|delete|merge|values|table|explain)\b/i;

type Callback = (error: Error | null, result: pg.QueryResult) => void;

/** node-postgres calls these, its types do not name them. */
interface QueryMethods {
  submit(connection: pg.Connection): Error | null;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
}
const inherited = pg.Query.prototype as unknown as QueryMethods;

/** One statement with the guard before it: one transaction, unless the session is in one already, and one wait for the answer. */
class GuardedQuery extends pg.Query {
  /** The guard's answer has come; what follows is the statement's. */
  #isUnderWay = false;

  override submit = (connection: pg.Connection): Error | null => {
    connection.stream.cork();
    try {
      connection.parse({ name: '', text: guardSelect, types: [] }, true);
      connection.bind({}, true);
      connection.execute({}, true);
      return inherited.submit.call(this, connection);
    } finally {
      connection.stream.uncork();
    }
  };

  handleDataRow(message: unknown): void {
    if (this.#isUnderWay) inherited.handleDataRow.call(this, message);
  }

  handleCommandComplete(message: unknown, connection: unknown): void {
    if (this.#isUnderWay) inherited.handleCommandComplete.call(this, message, connection);
    this.#isUnderWay = true;
  }
}

/** A connection whose statements are guarded. What is no statement of data, as `begin` or `create table`, goes as it is. */
export class GuardedClient extends pg.Client {
  // The signatures of node-postgres's `query`, as far as this project and connect-pg-simple use them.
  override query(first: unknown, second?: unknown, third?: unknown): never {
    const send = super.query.bind(this) as (...args: unknown[]) => unknown;
    const values = Array.isArray(second) && second.length > 0 ? second : undefined;
    if (typeof first !== 'string' || (values === undefined && !isGuarded.test(first)))
      return send(first, second, third) as never;
    const callback = (typeof second === 'function' ? second : third) as Callback | undefined;
    const ask = (done: Callback): void => {
      if (values) send(new GuardedQuery(`${toPrimary}${first}`, values, done as never));
      else
        send(`${toPrimary}${guardStatements} ${first}`, (error: Error | null, results: pg.QueryResult[]) =>
          done(error, ownResult(results)),
        );
    };
    if (callback) return ask(callback) as never;
    return new Promise<pg.QueryResult>((resolve, reject) => {
      ask((error, result) => (error ? reject(error) : resolve(result)));
    }).catch((error: Error) => {
      // As node-postgres does: where the statement was asked, not where its answer came in.
      Error.captureStackTrace(error);
      throw error;
    }) as never;
  }
}

/** Without those of the guard; several statements have a list of them. */
function ownResult(results: pg.QueryResult[] | undefined): pg.QueryResult {
  const own = results?.slice(Object.keys(settings).length) ?? [];
  return (own.length === 1 ? own[0] : own) as pg.QueryResult;
}

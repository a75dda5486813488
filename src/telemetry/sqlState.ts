/** What an SQLSTATE allows us to say about a Postgres error. Names are from PostgreSQL's Appendix A (error codes). */

/**
 * Classes whose message is about the server, the connection or the schema, never about a row. Class 22 quotes the value
 * (`invalid input syntax for type bigint: "…"`); 23 and P0 can say anything that a trigger raises.
 */
const classesWithHarmlessMessages = new Set([
  '08', // connection exception
  '0A', // feature not supported
  '25', // invalid transaction state
  '28', // invalid authorization
  '3D', // invalid catalog (database) name
  '3F', // invalid schema name
  '40', // transaction rollback: deadlock, serialization
  '42', // names and syntax of our own statements, whose values are parameters
  '53', // insufficient resources
  '54', // program limit exceeded
  '55', // object not in prerequisite state
  '57', // operator intervention: shutdown, cancelled
  '58', // system error
  'F0', // configuration file
  'XX', // internal error
]);

const conditions: Readonly<Record<string, string>> = {
  '21000': 'cardinality_violation',
  '22001': 'string_data_right_truncation',
  '22003': 'numeric_value_out_of_range',
  '22004': 'null_value_not_allowed',
  '22007': 'invalid_datetime_format',
  '22008': 'datetime_field_overflow',
  '22012': 'division_by_zero',
  '22021': 'character_not_in_repertoire',
  '22023': 'invalid_parameter_value',
  '22025': 'invalid_escape_sequence',
  '22026': 'string_data_length_mismatch',
  '22030': 'duplicate_json_object_key_value',
  '22032': 'invalid_json_text',
  '22P02': 'invalid_text_representation',
  '22P03': 'invalid_binary_representation',
  '22P05': 'untranslatable_character',
  '23502': 'not_null_violation',
  '23503': 'foreign_key_violation',
  '23505': 'unique_violation',
  '23514': 'check_violation',
  '23P01': 'exclusion_violation',
  '44000': 'with_check_option_violation',
  P0001: 'raise_exception',
};

const classes: Readonly<Record<string, string>> = {
  '22': 'data exception',
  '23': 'integrity constraint violation',
  P0: 'PL/pgSQL error',
};

export function isHarmlessMessage(sqlState: string): boolean {
  return classesWithHarmlessMessages.has(sqlState.slice(0, 2));
}

/** `unique_violation` for 23505; if it has no name here, its class, or just the code. */
export function describeSqlState(sqlState: string): string {
  const name = conditions[sqlState] ?? classes[sqlState.slice(0, 2)];
  return name === undefined ? `SQLSTATE ${sqlState}` : `SQLSTATE ${sqlState} (${name})`;
}

/**
 * The metric label of a failed statement: the class of its SQLSTATE, `connection` when the server did not answer, `other`
 * for the rest, so that the values stay a small fixed set.
 */
export function classOfDatabaseError(error: unknown): string {
  if (!(error instanceof Error)) return 'other';
  // node-postgres reports "Connection terminated unexpectedly" as a plain Error; a TypeError is our own bug.
  if (!isPostgresError(error)) return 'code' in error || error.name === 'Error' ? 'connection' : 'other';
  const sqlClass = error.code.slice(0, 2);
  return classesWithHarmlessMessages.has(sqlClass) || sqlClass in classes ? sqlClass : 'other';
}

/** Recognizes a Postgres error by its shape: only `database/` may import node-postgres. EPIPE has five capitals too, but no severity. */
export function isPostgresError(error: Error): error is Error & { code: string; severity: string } {
  return (
    'code' in error &&
    typeof error.code === 'string' &&
    /^[0-9A-Z]{5}$/.test(error.code) &&
    'severity' in error &&
    typeof error.severity === 'string'
  );
}

/**
 * Fills schemas with functions and operators that match better than Postgres's own for whatever type they are called with, where those
 * match by a conversion, a literal without a type or "any". Each notes that it was called, and fails.
 */
import type { Database } from '../../src/database/pool.ts';

const types = 'text name int4 int8 numeric xid8 pg_snapshot jsonb interval timestamptz oid text[]'.split(' ');
/** Pairs of types, beside each type with itself. */
const mixed = [
  'int8 interval, int4 interval, numeric int4, numeric int8, text int8, text int4, text name, name text, oid regnamespace',
  'jsonb text[], int8 numeric, text jsonb',
].flatMap((line) => line.split(', ').map((pair) => pair.split(' ')));
const functions = [
  'pg_visible_in_snapshot pg_snapshot_xmin pg_snapshot_xmax pg_snapshot_xip pg_column_size octet_length length char_length lower',
  'substr substring strpos get_byte to_char timezone date_part extract format array_agg json_agg jsonb_agg count min max sum avg',
  'unnest round json_build_object jsonb_build_object jsonb_object_agg jsonb_path_exists jsonb_path_query_array abs scale',
  'jsonb_array_elements set_config current_setting to_regclass to_regnamespace has_table_privilege has_column_privilege',
  'row_security_active to_timestamp quote_ident aclexplode row_number date_trunc now clock_timestamp pg_current_snapshot',
].flatMap((line) => line.split(' '));
const twoArguments =
  'pg_visible_in_snapshot strpos to_char has_table_privilege format jsonb_build_object'.split(' ');
const operators = '= <> < <= > >= + - * / || -> ->> #> @> ? & >> ~~ %'.split(' ');
const comparisons = '= <> < <= > >= @> ? ~~'.split(' ');

/** @returns how often anything of it was called so far, by anybody. */
export async function makeHostile(db: Database, schemas: readonly string[]): Promise<() => Promise<number>> {
  await db.query('create schema traps; create sequence traps.calls; grant usage on schema traps to public');
  await db.query('grant usage, select on sequence traps.calls to public');
  for (const schema of schemas) {
    const statements: string[] = [];
    const make = (name: string, args: readonly string[], returns: string): string => {
      const full = `"${schema}".${name.startsWith('"') ? name : `"${name}"`}`;
      statements.push(`create function ${full}(${args.join(', ')}) returns ${returns} language plpgsql as $f$
        begin perform nextval('traps.calls'); raise exception 'trap: ${name.replaceAll('"', '')}(${args.join(', ').replaceAll('"', '')})'; end $f$`);
      return full;
    };
    for (const name of functions) for (const type of types) make(name, [type], 'text');
    for (const name of twoArguments)
      for (const first of ['text', 'xid8', 'timestamptz', 'jsonb']) make(name, [first, 'text'], 'text');
    for (const [number, operator] of operators.entries())
      for (const [left = '', right = ''] of [...types.map((type) => [type, type]), ...mixed]) {
        const returns = comparisons.includes(operator) ? 'bool' : left;
        const full = make(`trap_${number}`, [left, right], returns);
        statements.push(
          `create operator "${schema}".${operator} (function = ${full}, leftarg = ${left}, rightarg = ${right})`,
        );
      }
    // One text of a thousand statements each: thousands of them, in seconds.
    await db.query('begin');
    for (let i = 0; i < statements.length; i += 1_000)
      await db.query(statements.slice(i, i + 1_000).join(';\n'));
    await db.query('commit');
  }
  return async () => {
    const { rows } = await db.query<{ n: number }>(
      `select case when is_called then last_value else 0 end::int as n from traps.calls`,
    );
    return rows[0]?.n ?? 0;
  };
}

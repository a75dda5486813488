/**
 * What several callers ask of one table at once: a row `w` of `wanted` for each, with an `id` and what else its statement needs. Each column is
 * one parameter, an array of everybody's values, from $1 on.
 */

/** By its name a column's Postgres type, and the value of a caller. */
export type WantedColumns<T> = Readonly<
  Record<string, readonly [type: string, value: (caller: T) => unknown]>
>;

/**
 * `wanted`, for a `with`. `waits` false: rows of the table that somebody has locked are left out, so that no caller waits for another's.
 */
export function wantedRows<T>(table: string, columns: WantedColumns<T>, waits: boolean): string {
  const arrays = Object.values(columns).map(([type], n) => `$${n + 1}::${type}[]`);
  const unlocked = `, lateral (select 1 from ${table} l where l.id = w.id for no key update skip locked) as unlocked`;
  return `wanted as materialized (select w.* from unnest(${arrays.join(', ')}) as w(${Object.keys(columns).join(', ')})${waits ? '' : unlocked})`;
}

/** Values of the parameters that `wantedRows` names. */
export function wantedValues<T>(columns: WantedColumns<T>, callers: readonly T[]): unknown[][] {
  return Object.values(columns).map(([, value]) => callers.map(value));
}

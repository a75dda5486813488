/** What a benchmark returns, and how several runs become one number. */

/** One row of the table. */
export interface Figure {
  readonly figure: string;
  /** A ratio, or the value itself in the unit that `goal` names. */
  readonly ratio: number;
  /** `≥ 0.6`, `≤ 250 ms`; compared with `ratio` as a number. */
  readonly goal: string;
  /** What was measured, how, and the numbers behind the ratio. */
  readonly detail: string;
}

/** @throws Error when `goal` is not a comparison with a number. */
export function meetsGoal({ ratio, goal }: Pick<Figure, 'ratio' | 'goal'>): boolean {
  const [, comparison, limit] = /^([≥≤]) ([\d.]+)/.exec(goal) ?? [];
  if (comparison === undefined) throw new Error(`the goal "${goal}" is not a comparison`);
  return comparison === '≥' ? ratio >= Number(limit) : ratio <= Number(limit);
}

/** The middle value; for an even number the mean of the two middle values. NaN if there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/**
 * The median of `a / b` for each round: rounds that run side by side share the machine's other load, so a load that
 * comes and goes moves both sides and not their ratio.
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.map((value, round) => value / (b[round] ?? Number.NaN)));
}

/** The value that `share` (0 to 1) of the sorted values do not exceed; nearest rank. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** `12,300`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `12.3 12.5 13.0`, to show how much the runs differ. */
export function spread(values: readonly number[], digits = 2): string {
  return values.map((value) => value.toFixed(digits)).join(' ');
}

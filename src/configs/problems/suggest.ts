/** "Did you mean": finds the known name nearest to a misspelt one. */

/**
 * The candidate that `name` was probably meant to be, or null when none is near. Near is: equal but for case, at most
 * two slips of the fingers (one in short names), or a part of it (`batchSize` for `maxBatchSize`).
 */
export function suggestName(name: string, candidates: readonly string[]): string | null {
  // Bounds the quadratic work; no field's name is nearly as long.
  if (name.length > 64) return null;
  const wanted = name.toLowerCase();
  const allowed = wanted.length < 5 ? 1 : 2;
  let best: { candidate: string; distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= allowed && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  if (best !== null) return best.candidate;
  if (wanted.length < 4) return null;
  return candidates.find((candidate) => candidate.toLowerCase().includes(wanted)) ?? null;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, at(beforeLast, column - 2) + 1);
      }
      current.push(distance);
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

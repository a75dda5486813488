/**
 * Records that the receiver has taken although the position is still before them: batches that overtook a failed one.
 * Kept in memory only, as ranges, so that a failure frees all buffers and the same process does not send them twice.
 */
export class AcceptedAhead {
  #ranges: Array<{ first: number; last: number }> = [];

  add(first: number, last: number): void {
    if (last >= first) this.#ranges.push({ first, last });
  }

  has(sequence: number): boolean {
    return this.#ranges.some((range) => range.first <= sequence && sequence <= range.last);
  }

  /** Forgets what the position has moved over. */
  settledUpTo(sequence: number): void {
    if (this.#ranges.length > 0) this.#ranges = this.#ranges.filter((range) => range.last > sequence);
  }
}

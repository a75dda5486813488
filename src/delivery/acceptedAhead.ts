/**
 * Records that the receiver has taken although the position is still before them: batches that overtook a failed one.
 * Kept in memory only, as ranges, so that a failure frees all buffers and the same process does not send them twice.
 *
 * A record counts as taken only where sequence number and place in the window both agree: after a failover that lost commits, or
 * once somebody has deleted an entry in between, the same number belongs to another entry.
 */
import type { Position } from '../model/stream.ts';

interface Range {
  readonly first: number;
  readonly last: number;
  /** Place of the first and of the last entry. */
  readonly from: Position;
  readonly to: Position;
}

export class AcceptedAhead {
  #ranges: Range[] = [];

  add(range: Range): void {
    if (range.last >= range.first) this.#ranges.push(range);
  }

  has(sequence: number, at: Position): boolean {
    // Asked for each entry: nearly always there is nothing to look through.
    if (this.#ranges.length === 0) return false;
    return this.#ranges.some(
      ({ first, last, from, to }) =>
        first <= sequence && sequence <= last && !isBefore(at, from) && !isBefore(to, at),
    );
  }

  /** Forgets what the position has moved over. */
  settledUpTo(sequence: number): void {
    if (this.#ranges.length > 0) this.#ranges = this.#ranges.filter((range) => range.last > sequence);
  }

  /** The stream's row is not where these were counted from. */
  forget(): void {
    this.#ranges = [];
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.xid < b.xid || (a.xid === b.xid && a.id < b.id);
}

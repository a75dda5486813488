/**
 * Finds the record that a receiver refuses, by halving, and knows when it may be parked.
 *
 * A refusal does not say where the fault lies: in one record, or in the whole configuration (a receiver that answers 400 to
 * a wrong token refuses everything). So each parked record needs its own proof: the same endpoint has accepted another
 * one since the refusal began, and since the last one that was parked.
 */
export class Isolation {
  /** Records from the position on among which the refused one is; 0: nothing is suspected. */
  #suspects = 0;
  #proven = false;

  /** At most so many records may go in the next batch. */
  get recordLimit(): number {
    return this.#suspects === 0 ? Number.POSITIVE_INFINITY : Math.ceil(this.#suspects / 2);
  }

  get isActive(): boolean {
    return this.#suspects > 0;
  }

  /** The endpoint has accepted a neighbour of the refused record. */
  get isProven(): boolean {
    return this.#proven;
  }

  /** A batch of `records` from the position on was refused. */
  refused(records: number): void {
    if (this.#suspects === 0) this.#proven = false;
    this.#suspects = records;
  }

  /** A batch of `records` was accepted and the position moved over it. */
  accepted(records: number): void {
    if (this.#suspects === 0 || records === 0) return;
    this.#proven = true;
    this.#suspects = Math.max(0, this.#suspects - records);
  }

  /** A record that is not next in line was accepted. */
  neighbourAccepted(): void {
    this.#proven = true;
  }

  /** The refused record is out of the way, or what was learned does not hold any more. */
  reset(): void {
    this.#suspects = 0;
    this.#proven = false;
  }
}

/**
 * Knows since when nothing of a stream gets through, and says when its organization has to be told (model/outage.ts). Neither a
 * restart, nor a hand-over, nor another reason starts that time over: an entry that gets through ends it, or a suspension.
 */
import { nextOutage, type OutageStep } from '../model/outage.ts';
import type { StreamRow } from '../model/stream.ts';

/** What the row has to say, and whom to tell when it does. */
export interface WatchedStep extends OutageStep {
  readonly written: () => void;
}

export class OutageWatch {
  readonly #now: () => number;
  #since: number | null;
  #isConfirmed = false;
  #deliveries = 0;
  /** How many of them the row knows of. */
  #known = 0;
  #isParkedNews = true;

  /** `since`: since when it failed as far as the row says; null: it did not. */
  constructor(since: number | null, now: () => number) {
    this.#now = now;
    this.#since = since;
  }

  /** Milliseconds since the Unix epoch; null: it does not fail. */
  get since(): number | null {
    return this.#since;
  }

  /** An attempt has failed. */
  failed(): void {
    this.#since ??= this.#now();
    this.#isConfirmed = true;
  }

  /** An entry got through. */
  delivered(): void {
    this.ended();
    this.#deliveries++;
  }

  /** Nothing is left that fails, though nothing was delivered: suspended, or nothing to send. */
  ended(): void {
    this.#since = null;
    this.#isConfirmed = false;
  }

  /** An entry was parked: the first of a day is told. */
  parked(): void {
    this.#isParkedNews = true;
  }

  /** Whether an entry may have been parked since this was asked last. */
  takeParkedNews(): boolean {
    const isNews = this.#isParkedNews;
    this.#isParkedNews = false;
    return isNews;
  }

  /** What the row has to say of the outage from now on, while it fails or not; null: it is right. Call `written` once it says so. */
  next(
    { outage, delivered }: Pick<StreamRow, 'outage' | 'delivered'>,
    isFailing: boolean,
  ): WatchedStep | null {
    // The clock was ahead when it began.
    if (this.#since !== null) this.#since = Math.min(this.#since, this.#now());
    const deliveries = this.#deliveries;
    const written = () => {
      this.#known = deliveries;
    };
    const hasDelivered = deliveries > this.#known;
    const isConfirmed = isFailing && this.#isConfirmed;
    const facts = { since: this.#since, isConfirmed, hasDelivered, delivered };
    const step = nextOutage(outage, facts, this.#now());
    if (step === null) written();
    return step && { ...step, written };
  }
}

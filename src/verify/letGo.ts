/** Which entries of a ledger retention let go of, by the entries `audit_log.entries_expired`, which are sealed themselves. */

/** What such an entry says. */
export interface LetGoNote {
  /** The ledger's id, the last part of its origin. */
  readonly ledger: string;
  /** All that went until then: `1-1200,1300`. */
  readonly numbers: string;
}

const eventType = 'audit_log.entries_expired';

/** null: the entry is another, or says nothing of numbers. @param readMetadata the text of the entry's JSON. */
export function readLetGoNote(ofType: string, readMetadata: () => string): LetGoNote | null {
  if (ofType !== eventType) return null;
  try {
    const { ledger, numbers } = (JSON.parse(readMetadata()) ?? {}) as Partial<
      Record<keyof LetGoNote, unknown>
    >;
    return typeof ledger === 'string' && typeof numbers === 'string' ? { ledger, numbers } : null;
  } catch {
    return null;
  }
}

/** A set of numbers, as ranges. */
export class LetGoNumbers {
  readonly #ranges: Array<readonly [first: number, last: number]> = [];

  add(first: number, last: number): void {
    this.#ranges.push([first, last]);
  }

  /**
   * @param numbers as in `LetGoNote`; what is no range is passed over.
   * @param most no number after it: an entry can only tell of what went before it was written.
   */
  addText(numbers: string, most: number): void {
    for (const range of numbers.split(',')) {
      const [, first, last] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(range) ?? [];
      if (first !== undefined && Number(first) <= most)
        this.add(Number(first), Math.min(most, Number(last ?? first)));
    }
  }

  /** Whether a number is in it; each call with a greater number than the one before. */
  ascending(): (number: number) => boolean {
    const ranges = this.#ranges.toSorted(([a], [b]) => a - b);
    let at = 0;
    let last = 0;
    return (number) => {
      for (; at < ranges.length && (ranges[at]?.[0] ?? 0) <= number; at++)
        last = Math.max(last, ranges[at]?.[1] ?? 0);
      return number <= last;
    };
  }
}

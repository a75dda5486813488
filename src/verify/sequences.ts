/** Which numbers of each stream were seen. Every record of a stream has the next number, so one that nobody has is a loss. */

export interface StreamNumbers {
  readonly stream: string;
  /** The greatest number seen. */
  readonly last: number;
  /** Numbers from 1 to `last` that were not seen, each run with its first and last number. */
  readonly gaps: ReadonlyArray<readonly [first: number, last: number]>;
}

const pageBits = 4_096;

/** A bit for each number, in pages: numbers come mostly in order, but repeats and shuffled files are usual. */
class Numbers {
  readonly #pages = new Map<number, Uint8Array>();
  last = 0;

  add(number: number): void {
    const index = Math.floor(number / pageBits);
    const page = this.#pages.get(index) ?? new Uint8Array(pageBits / 8);
    this.#pages.set(index, page);
    const bit = number % pageBits;
    page[bit >> 3] = (page[bit >> 3] ?? 0) | (1 << (bit & 7));
    if (number > this.last) this.last = number;
  }

  gaps(): Array<readonly [number, number]> {
    const gaps: Array<readonly [number, number]> = [];
    let expected = 1;
    for (const [index, page] of [...this.#pages].sort(([a], [b]) => a - b))
      for (let bit = 0; bit < pageBits; bit++) {
        if (((page[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) continue;
        const number = index * pageBits + bit;
        if (number > expected) gaps.push([expected, number - 1]);
        expected = number + 1;
      }
    return gaps;
  }
}

export class Sequences {
  readonly #streams = new Map<string, Numbers>();

  /** @param number from 1 on; anything else is no number of a stream and is left out. */
  add(stream: string, number: number): void {
    if (!Number.isSafeInteger(number) || number < 1) return;
    const numbers = this.#streams.get(stream) ?? new Numbers();
    this.#streams.set(stream, numbers);
    numbers.add(number);
  }

  streams(): StreamNumbers[] {
    return [...this.#streams].map(([stream, numbers]) => ({
      stream,
      last: numbers.last,
      gaps: numbers.gaps(),
    }));
  }
}

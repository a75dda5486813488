/** Choices of the sample product. A seed makes them repeatable. */
export interface Random {
  /** 0 ≤ value < 1. */
  next(): number;
  /** Whole, both ends included. */
  integer(min: number, max: number): number;
  pick<const T>(items: readonly [T, ...T[]]): T;
  /** True in `share` of all calls, 0..1. */
  chance(share: number): boolean;
  /** `length` characters of lower-case hexadecimal. */
  hex(length: number): string;
}

/** The generator mulberry32: fast, small and good enough for samples, not for secrets. */
export function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const integer = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    chance: (share) => next() < share,
    hex: (length) => Array.from({ length }, () => integer(0, 15).toString(16)).join(''),
  };
}

/**
 * Records which short sequences of bytes ("grams") a set of texts holds, as a bitmap: a text that holds a term holds every gram of it.
 * Four bytes tell most words apart, two and three serve shorter terms, and six tell hexadecimal ids apart: a thousand entries with
 * ids hold nearly every sequence of four digits.
 */
import type { TermHashes } from '../database/blocks.ts';

/** What a bitmap records; written to each block, since those of former releases hold grams of four bytes alone. */
export const gramVersion = 2;

/** Hashes are below 2^21: a bitmap is at most 256 KiB, which fits into a processor's cache. */
const fullBits = 2 ** 21;
const smallestBits = 1024;
/** Bits per hash, at least: then one that a block lacks seems to be there in at most a third of all cases. */
const bitsPerHash = 2.5;
/** A fuller bitmap says almost nothing. */
const fullest = 0.7;

/** Spreads a gram of four bytes over all bits, so that any low bits of the hash serve a smaller bitmap. As in version 1. */
function hashFour(gram: number): number {
  const hash = Math.imul(gram ^ (gram >>> 15), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (fullBits - 1);
}

/** `salt` tells hashes of the same number apart; the mixing is that of MurmurHash3. */
function hash(gram: number, salt: number): number {
  let mixed = gram ^ salt;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & (fullBits - 1);
}

/**
 * A block holds few different grams of two or three bytes, and a search for so short a term has one or two of them: each has several
 * hashes, since one that is taken by another gram is taken in nearly every block.
 */
const twoSalts = [0x2a2b0000, 0x5c4d0000, 0x716e0000, 0x138f0000] as const;
const threeSalts = [0x3a000000, 0x7b000000] as const;

/** The last four of six bytes, and the two before them. */
function hashSix(before: number, last: number): number {
  return hash(last, Math.imul(before + 1, 0x27d4eb2f));
}

export class GramSet {
  readonly #bits = new Uint8Array(fullBits / 8);
  /** Grams of two bytes that are in it. */
  readonly #twos = new Uint8Array(2 ** 16);

  /** Takes seven nanoseconds per byte. The casts are for indices that are known to exist. */
  add(text: Uint8Array): void {
    let last = 0;
    let before = 0;
    for (let i = 0; i < text.length; i++) {
      before = ((before << 8) | (last >>> 24)) & 0xffff;
      last = (last << 8) | (text[i] as number);
      if (i < 1) continue;
      const two = last & 0xffff;
      if (this.#twos[two] === 0) {
        this.#twos[two] = 1;
        for (const salt of twoSalts) this.#set(hash(two, salt));
      }
      if (i < 2) continue;
      this.#set(hash(last & 0xffffff, threeSalts[0]));
      this.#set(hash(last & 0xffffff, threeSalts[1]));
      if (i < 3) continue;
      this.#set(hashFour(last));
      if (i >= 5) this.#set(hashSix(before, last));
    }
  }

  #set(hash: number): void {
    const bits = this.#bits;
    bits[hash >>> 3] = (bits[hash >>> 3] as number) | (1 << (hash & 7));
  }

  /** Returns the bitmap as it is stored, or null when it would say nothing. Empties the set. */
  take(): Buffer | null {
    const words = new Uint32Array(this.#bits.buffer);
    const hashes = estimateDistinct(countOnes(words), fullBits);
    let size = words.length;
    while (size * 32 > smallestBits && (size / 2) * 32 >= bitsPerHash * hashes) {
      size /= 2;
      for (let i = 0; i < size; i++) words[i] = (words[i] ?? 0) | (words[size + i] ?? 0);
    }
    const folded = words.subarray(0, size);
    const isUseful = countOnes(folded) <= fullest * size * 32;
    const result = isUseful ? Buffer.from(this.#bits.slice(0, size * 4)) : null;
    this.#bits.fill(0);
    this.#twos.fill(0);
    return result;
  }
}

/** Estimates how many distinct hashes set `ones` of `bits` bits, correcting for collisions (linear counting). */
function estimateDistinct(ones: number, bits: number): number {
  return ones >= bits ? Number.POSITIVE_INFINITY : -bits * Math.log(1 - ones / bits);
}

function countOnes(words: Uint32Array): number {
  let ones = 0;
  for (let word of words) {
    if (word === 0) continue;
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    ones += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return ones;
}

/** Probes cost time, and a dozen already leave one block in a million. */
const mostProbes = 12;

/** Hashes of a folded term; none of a term under two bytes: every block may hold it. The longest grams first: fewer blocks hold them. */
export function termHashes(term: string): TermHashes {
  const bytes = Buffer.from(term);
  const places = (length: number) =>
    Array.from({ length: Math.max(0, bytes.length - length + 1) }, (_, i) => i);
  const fours = places(4).map((i) => hashFour(bytes.readInt32BE(i)));
  const all = [
    ...spread(places(6).map((i) => hashSix(bytes.readUInt16BE(i), bytes.readInt32BE(i + 2)))),
    ...spread(fours),
    ...places(3).flatMap((i) => threeSalts.map((salt) => hash(bytes.readUIntBE(i, 3), salt))),
    ...places(2).flatMap((i) => twoSalts.map((salt) => hash(bytes.readUInt16BE(i), salt))),
  ];
  return { all: [...new Set(all)].slice(0, mostProbes), version1: [...new Set(spread(fours))] };
}

/** `mostProbes` of them at most, spread evenly. */
function spread(hashes: readonly number[]): number[] {
  if (hashes.length <= mostProbes) return [...hashes];
  const step = (hashes.length - 1) / (mostProbes - 1);
  return Array.from({ length: mostProbes }, (_, i) => hashes[Math.round(i * step)] ?? 0);
}

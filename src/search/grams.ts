/**
 * Records which 4-byte sequences ("grams") a set of texts holds, as a bitmap: a text that holds a term holds every gram of it. Four
 * bytes, not three: a thousand entries with hexadecimal ids hold nearly every trigram of hexadecimal digits.
 */

/** Hashes are below 2^21: a bitmap is at most 256 KiB, which fits into a processor's cache. */
const fullBits = 2 ** 21;
const smallestBits = 1024;
/** Bits per gram, at least: then a gram that a block lacks seems to be there in at most a third of all cases. */
const bitsPerGram = 2.5;
/** A fuller bitmap says almost nothing. */
const fullest = 0.7;

/** Spreads a gram over all bits, so that any low bits of the hash serve a smaller bitmap. */
function hashGram(gram: number): number {
  const hash = Math.imul(gram ^ (gram >>> 15), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (fullBits - 1);
}

export class GramSet {
  readonly #bits = new Uint8Array(fullBits / 8);

  /** Takes two nanoseconds per byte. The casts are for indices that are known to exist. */
  add(text: Uint8Array): void {
    const bits = this.#bits;
    let gram = 0;
    for (let i = 0; i < text.length; i++) {
      gram = (gram << 8) | (text[i] as number);
      if (i < 3) continue;
      const hash = hashGram(gram);
      bits[hash >>> 3] = (bits[hash >>> 3] as number) | (1 << (hash & 7));
    }
  }

  /** Returns the bitmap as it is stored, or null when it would say nothing. Empties the set. */
  take(): Buffer | null {
    const words = new Uint32Array(this.#bits.buffer);
    const grams = estimateDistinct(countOnes(words), fullBits);
    let size = words.length;
    while (size * 32 > smallestBits && (size / 2) * 32 >= bitsPerGram * grams) {
      size /= 2;
      for (let i = 0; i < size; i++) words[i] = (words[i] ?? 0) | (words[size + i] ?? 0);
    }
    const folded = words.subarray(0, size);
    const isUseful = countOnes(folded) <= fullest * size * 32;
    const result = isUseful ? Buffer.from(this.#bits.slice(0, size * 4)) : null;
    this.#bits.fill(0);
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

/** Hashes of grams of a folded term, spread over it; none of a term under 4 bytes: every block may hold it. */
export function termHashes(term: string): number[] {
  const bytes = Buffer.from(term);
  const all = Array.from({ length: Math.max(0, bytes.length - 3) }, (_, i) => hashGram(bytes.readInt32BE(i)));
  if (all.length <= mostProbes) return [...new Set(all)];
  const step = (all.length - 1) / (mostProbes - 1);
  return [...new Set(Array.from({ length: mostProbes }, (_, i) => all[Math.round(i * step)] ?? 0))];
}

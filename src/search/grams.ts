/**
 * Which 4-byte sequences ("grams") a set of texts holds, as a bitmap: what holds a term holds every gram of it. Four and not
 * three, since a thousand entries with hexadecimal ids hold nearly every trigram of those.
 */

/** Hashes are below 2^21: a bitmap is 256 KiB at most, which a processor's cache holds. */
const fullBits = 2 ** 21;
const smallestBits = 1024;
/** Bits a gram, at least: then one gram that a block lacks is taken for there in a third of all cases at most. */
const bitsPerGram = 2.5;
/** Fuller than this it tells nearly nothing. */
const fullest = 0.7;

/** Spreads a gram over all bits, so that any low bits of the hash serve a smaller bitmap. */
function hashGram(gram: number): number {
  const hash = Math.imul(gram ^ (gram >>> 15), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (fullBits - 1);
}

export class GramSet {
  readonly #bits = new Uint8Array(fullBits / 8);

  /** Two nanoseconds a byte; the casts are places that are known to be there. */
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

  /** The bitmap as it is stored; null when it would tell nothing. The set is empty afterwards. */
  take(): Buffer | null {
    const words = new Uint32Array(this.#bits.buffer);
    const grams = estimateDistinct(countOnes(words), fullBits);
    let size = words.length;
    while (size * 32 > smallestBits && (size / 2) * 32 >= bitsPerGram * grams) {
      size /= 2;
      for (let i = 0; i < size; i++) words[i] = (words[i] ?? 0) | (words[size + i] ?? 0);
    }
    const folded = words.subarray(0, size);
    const isTelling = countOnes(folded) <= fullest * size * 32;
    const result = isTelling ? Buffer.from(this.#bits.slice(0, size * 4)) : null;
    this.#bits.fill(0);
    return result;
  }
}

/** Of so many ones among `bits` (linear counting): hashes that met are counted as often as they were different. */
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

/** Probes cost time, and a dozen leave one block in a million. */
const mostProbes = 12;

/** Hashes of grams of a folded term, spread over it; none of a term under 4 bytes: every block may hold it. */
export function termHashes(term: string): number[] {
  const bytes = Buffer.from(term);
  const all = Array.from({ length: Math.max(0, bytes.length - 3) }, (_, i) => hashGram(bytes.readInt32BE(i)));
  if (all.length <= mostProbes) return [...new Set(all)];
  const step = (all.length - 1) / (mostProbes - 1);
  return [...new Set(Array.from({ length: mostProbes }, (_, i) => all[Math.round(i * step)] ?? 0))];
}

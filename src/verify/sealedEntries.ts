/**
 * Every leaf of a ledger, to be found by its entry's uid, with what was seen of it: 73 bytes an entry in memory, so that ten
 * million entries need 0.7 GB.
 */
import { decodeLeaf, type Leaf } from '../ledger/leaf.ts';
import { leafBytes } from '../ledger/tiles.ts';

/** What was seen of a sealed entry so far. */
export const seenAs = { nothing: 0, sealed: 1, changed: 2 } as const;
export type SeenAs = (typeof seenAs)[keyof typeof seenAs];

const leafWords = leafBytes / 4;
const uidWord = 2;

export class SealedEntries {
  readonly size: number;
  readonly #leaves: Uint8Array;
  readonly #words: Uint32Array;
  /** Index + 1 of a leaf, by the first word of its uid: at most half of it is taken, the next free place counts. */
  readonly #table: Uint32Array;
  readonly #seen: Uint8Array;
  /** Two entries have the same uid: the owner of the table can write such. */
  #hasTwins = false;

  /** @param leaves 56 bytes each, in the order of the ledger; at most 2^32 − 2 of them. */
  constructor(leaves: Uint8Array) {
    const own = leaves.byteOffset % 4 === 0 ? leaves : Uint8Array.from(leaves);
    this.size = own.length / leafBytes;
    this.#leaves = own;
    this.#words = new Uint32Array(own.buffer, own.byteOffset, own.length / 4);
    this.#seen = new Uint8Array(this.size);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, this.size * 2))));
    for (let index = 0; index < this.size; index++) this.#enter(index);
  }

  /**
   * The index of the sealed entry with this uid (16 bytes as four words in memory order), or −1. Of several, the one with that id, or
   * else the first.
   */
  find(uid: Uint32Array, entryId: string | null = null): number {
    const mask = this.#table.length - 1;
    let first = -1;
    for (let at = this.#slotOf(uid, 0); ; at = (at + 1) & mask) {
      const index = (this.#table[at] ?? 0) - 1;
      if (index < 0) return first;
      if (!this.#hasUid(index, uid, 0)) continue;
      if (!this.#hasTwins || entryId === String(this.leafAt(index).entryId)) return index;
      if (first < 0) first = index;
    }
  }

  /** Whether an entry of this uid and this id is sealed; of a record that says no id, one of this uid. */
  has(uid: Uint32Array, entryId: string | null): boolean {
    const index = this.find(uid, entryId);
    return index >= 0 && (entryId === null || entryId === String(this.leafAt(index).entryId));
  }

  /** @param index from 0. */
  leafAt(index: number): Leaf {
    return decodeLeaf(this.#leaves, index * leafBytes);
  }

  seen(index: number): SeenAs {
    return (this.#seen[index] ?? 0) as SeenAs;
  }

  /** One copy that is as sealed counts more than any number that are not. */
  markSeen(index: number, as: SeenAs): void {
    if (this.#seen[index] !== seenAs.sealed) this.#seen[index] = as;
  }

  /** The indexes of the entries of which nothing was seen, in order. */
  *unseen(): Generator<number> {
    for (let index = this.#seen.indexOf(0); index >= 0; index = this.#seen.indexOf(0, index + 1)) yield index;
  }

  /** A row that was put back, and so sealed a second time, counts where it was first. */
  #enter(index: number): void {
    const mask = this.#table.length - 1;
    const word = index * leafWords + uidWord;
    let at = this.#slotOf(this.#words, word);
    for (let other = this.#table[at] ?? 0; other !== 0; other = this.#table[at] ?? 0) {
      if (this.#hasUid(other - 1, this.#words, word)) {
        if (this.#isSameLeaf(other - 1, index)) {
          this.markSeen(index, seenAs.sealed);
          return;
        }
        this.#hasTwins = true;
      }
      at = (at + 1) & mask;
    }
    this.#table[at] = index + 1;
  }

  #isSameLeaf(a: number, b: number): boolean {
    for (let i = 0; i < leafWords; i++)
      if (this.#words[a * leafWords + i] !== this.#words[b * leafWords + i]) return false;
    return true;
  }

  #slotOf(words: Uint32Array, at: number): number {
    return ((words[at] ?? 0) ^ (words[at + 3] ?? 0)) & (this.#table.length - 1);
  }

  #hasUid(index: number, words: Uint32Array, at: number): boolean {
    const own = index * leafWords + uidWord;
    for (let i = 0; i < 4; i++) if (this.#words[own + i] !== words[at + i]) return false;
    return true;
  }
}

/**
 * The Merkle tree over an organization's sealed entries (RFC 9162, section 2.1; the same as RFC 6962's): a leaf's hash
 * is SHA-256(00 ‖ leaf), a node's SHA-256(01 ‖ left ‖ right). A tree is filled through a *compact range*: only the hashes of
 * its full subtrees are kept, at most 53 of them, whatever its size.
 *
 * Sizes and indexes are whole numbers below 2^53. No bit operators work on them: those of JavaScript cut to 32 bits.
 */
import { hash } from 'node:crypto';

/** Bytes of a hash. */
export const hashBytes = 32;

const leafPrefix = 0x00;
const nodePrefix = 0x01;
const nodeInput = Buffer.alloc(1 + 2 * hashBytes, nodePrefix);
let leafInput = Buffer.alloc(1 + 56, leafPrefix);

/** SHA-256(00 ‖ leaf). */
export function hashLeaf(leaf: Uint8Array): Buffer {
  if (leafInput.length !== leaf.length + 1) leafInput = Buffer.alloc(leaf.length + 1, leafPrefix);
  leafInput.set(leaf, 1);
  return hash('sha256', leafInput, 'buffer');
}

/** SHA-256(01 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashBytes);
  return hash('sha256', nodeInput, 'buffer');
}

/** The root of a tree without leaves: SHA-256 of nothing. */
export const emptyRoot: Uint8Array = hash('sha256', Buffer.alloc(0), 'buffer');

/** A tree that grows at its end and tells its root. */
export class CompactRange {
  /** The hashes of the full subtrees, largest first: one for each 1 in the binary form of the size. */
  readonly #hashes: Uint8Array[];
  #size: number;

  constructor() {
    this.#hashes = [];
    this.#size = 0;
  }

  /**
   * The tree of `size` leaves whose state `encode` returned. Null if the state has the wrong length for that size, or the
   * size is no whole number from 0 to 2^53 − 1: a state that was damaged or belongs to another size.
   */
  static decode(size: number, state: Uint8Array): CompactRange | null {
    if (!Number.isSafeInteger(size) || size < 0) return null;
    if (state.length !== hashBytes * countOnes(size)) return null;
    const range = new CompactRange();
    range.#size = size;
    for (let at = 0; at < state.length; at += hashBytes)
      range.#hashes.push(Uint8Array.from(state.subarray(at, at + hashBytes)));
    return range;
  }

  /** The number of leaves. */
  get size(): number {
    return this.#size;
  }

  /** Adds the next leaf by its hash (`hashLeaf`). */
  append(leafHash: Uint8Array): void {
    let node = leafHash;
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.#hashes.pop();
      if (left === undefined) throw new Error('The state of the tree holds too few hashes.');
      node = hashNode(left, node);
    }
    this.#hashes.push(node);
    this.#size++;
  }

  /** The hash of the whole tree as it is now. */
  root(): Uint8Array {
    return foldSubtrees(this.#hashes);
  }

  /** The state for `decode`: the hashes one after the other, 32 bytes each. The size is kept beside it. */
  encode(): Buffer {
    return Buffer.concat(this.#hashes);
  }
}

/** The root over neighbouring full subtrees, largest first. */
export function foldSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  let root = hashes.at(-1);
  if (root === undefined) return emptyRoot;
  for (let i = hashes.length - 2; i >= 0; i--) root = hashNode(hashes[i] ?? emptyRoot, root);
  return root;
}

function countOnes(value: number): number {
  let ones = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones;
}

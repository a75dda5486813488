/**
 * A ledger's tree as it is stored: bundles of 256 leaves, each with its root, so that the root of any size is found without reading the
 * leaves before. It is the tree of RFC 9162 all the same: a full bundle is a full subtree.
 */
import { tileWidth } from './tiles.ts';
import { CompactRange, foldSubtrees, hashBytes } from './tree.ts';

export class BundleTree {
  /** Over the roots of full bundles. */
  readonly #bundles: CompactRange;
  /** Over the leaves behind them. */
  #leaves: CompactRange;

  private constructor(bundles: CompactRange, leaves: CompactRange) {
    this.#bundles = bundles;
    this.#leaves = leaves;
  }

  /** The tree of `size` leaves whose state `encode` returned; null: the state is of another size. */
  static decode(size: number, state: Uint8Array): BundleTree | null {
    const rest = size % tileWidth;
    const restBytes = hashBytes * [...rest.toString(2)].filter((digit) => digit === '1').length;
    const at = Math.max(0, state.length - restBytes);
    const bundles = CompactRange.decode((size - rest) / tileWidth, state.subarray(0, at));
    const leaves = CompactRange.decode(rest, state.subarray(at));
    return bundles && leaves && new BundleTree(bundles, leaves);
  }

  get size(): number {
    return this.#bundles.size * tileWidth + this.#leaves.size;
  }

  /** Adds a leaf by its hash. Returns the root of its bundle when that is full with it, else null. */
  append(leafHash: Uint8Array): Uint8Array | null {
    this.#leaves.append(leafHash);
    if (this.#leaves.size < tileWidth) return null;
    const root = this.#leaves.root();
    this.#bundles.append(root);
    this.#leaves = new CompactRange();
    return root;
  }

  root(): Uint8Array {
    const state = this.encode();
    const hashes: Uint8Array[] = [];
    for (let at = 0; at < state.length; at += hashBytes) hashes.push(state.subarray(at, at + hashBytes));
    return foldSubtrees(hashes);
  }

  /** Hashes of the full subtrees, largest first. */
  encode(): Buffer {
    return Buffer.concat([this.#bundles.encode(), this.#leaves.encode()]);
  }
}

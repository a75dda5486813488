/** Leaves of one page of a window, put into the bundles that they belong to. */
import type { BundlePart } from '../database/ledgerWindow.ts';
import type { Position } from '../model/stream.ts';
import type { BundleTree } from './bundleTree.ts';
import { type Leaf, writeLeaf } from './leaf.ts';
import { leafBytes, tileWidth } from './tiles.ts';
import { hashLeaf } from './tree.ts';

interface OpenPart {
  readonly number: number;
  readonly start: number;
  minId: bigint;
  maxId: bigint;
  hash: Uint8Array | null;
}

export class LeafPage {
  readonly #tree: BundleTree;
  #bytes = Buffer.allocUnsafe(leafBytes * tileWidth);
  #end = 0;
  readonly #parts: OpenPart[] = [];
  /** The last entry of it; null: it is empty. */
  last: Position | null = null;

  /** `tree` grows with each leaf. */
  constructor(tree: BundleTree) {
    this.#tree = tree;
  }

  /** Leaves until the last bundle is full; with a multiple of a bundle more, none is written twice. */
  get leavesToFull(): number {
    return tileWidth - (this.#tree.size % tileWidth);
  }

  get leaves(): number {
    return this.#end / leafBytes;
  }

  add(leaf: Leaf, position: Position): void {
    const number = Math.floor(this.#tree.size / tileWidth);
    let part = this.#parts.at(-1);
    if (part?.number !== number) {
      part = { number, start: this.#end, minId: leaf.entryId, maxId: leaf.entryId, hash: null };
      this.#parts.push(part);
    }
    if (leaf.entryId < part.minId) part.minId = leaf.entryId;
    if (leaf.entryId > part.maxId) part.maxId = leaf.entryId;
    if (this.#end === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, this.#bytes]);
    const end = writeLeaf(this.#bytes, this.#end, leaf);
    part.hash = this.#tree.append(hashLeaf(this.#bytes.subarray(this.#end, end)));
    this.#end = end;
    this.last = position;
  }

  parts(): BundlePart[] {
    return this.#parts.map(({ start, ...part }, i) => ({
      ...part,
      leaves: this.#bytes.subarray(start, this.#parts[i + 1]?.start ?? this.#end),
    }));
  }
}

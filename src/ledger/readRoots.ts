/** The roots that a ledger had at earlier sizes, from what its bundles hold now. */
import { type ReadBundle, readBundle, readBundleHashes } from '../database/ledgerBundles.ts';
import type { Database } from '../database/pool.ts';
import { BundleTree } from './bundleTree.ts';
import { leafBytes, tileWidth } from './tiles.ts';
import { CompactRange, hashLeaf } from './tree.ts';

/** What the bundles of a ledger hold. */
export interface Bundles {
  /** Passes the roots of the full bundles from `from` to before `until` on, in order. False: one is missing. */
  readHashes(from: number, until: number, onHash: (hash: Buffer) => void): Promise<boolean>;
  /** Leaves of one bundle, 56 bytes each; null: it is not there. */
  readLeaves(number: number): Promise<Buffer | null>;
}

/** Those that the database has when they are asked for. */
export function bundlesOf(db: Database, ledger: string): Bundles {
  return {
    readHashes: (from, until, onHash) => readBundleHashes(db, ledger, from, until, onHash),
    readLeaves: (number) => readBundle(db, ledger, number),
  };
}

/** Those that have been read. */
export function bundlesRead(read: readonly ReadBundle[]): Bundles {
  const bundles = new Map(read.map((bundle) => [bundle.number, bundle]));
  return {
    async readHashes(from, until, onHash) {
      for (let n = from; n < until; n++) {
        const hash = bundles.get(n)?.hash;
        if (!hash) return false;
        onHash(hash);
      }
      return true;
    },
    readLeaves: async (number) => bundles.get(number)?.leaves ?? null,
  };
}

/** Where the leaves of `size` end that fill no bundle: the number of theirs; null: all of them do. */
export function partOf(size: number): number | null {
  return size % tileWidth === 0 ? null : Math.floor(size / tileWidth);
}

/** Root by size, for each of `sizes`. Null: a bundle below the largest is missing or too short. */
export async function readRoots(
  source: Bundles,
  sizes: readonly number[],
): Promise<ReadonlyMap<number, Uint8Array> | null> {
  const roots = new Map<number, Uint8Array>();
  const bundles = new CompactRange();
  for (const size of [...new Set(sizes)].sort((a, b) => a - b)) {
    const full = Math.floor(size / tileWidth);
    const isWhole = await source.readHashes(bundles.size, full, (hash) => bundles.append(hash));
    const tree = isWhole ? BundleTree.decode(full * tileWidth, bundles.encode()) : null;
    if (tree === null) return null;
    const rest = size % tileWidth;
    const leaves = rest === 0 ? null : await source.readLeaves(full);
    if (rest > 0 && (leaves?.length ?? 0) < rest * leafBytes) return null;
    for (let at = 0; leaves && at < rest * leafBytes; at += leafBytes)
      tree.append(hashLeaf(leaves.subarray(at, at + leafBytes)));
    roots.set(size, tree.root());
  }
  return roots;
}

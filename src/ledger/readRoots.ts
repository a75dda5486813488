/** The roots that a ledger had at earlier sizes, from what its bundles hold now. */
import { readBundle, readBundleHashes } from '../database/ledgerBundles.ts';
import type { Database } from '../database/pool.ts';
import { BundleTree } from './bundleTree.ts';
import { leafBytes, tileWidth } from './tiles.ts';
import { CompactRange, hashLeaf } from './tree.ts';

/** Root by size, for each of `sizes`. Null: a bundle below the largest is missing or too short. */
export async function readRoots(
  db: Database,
  ledger: string,
  sizes: readonly number[],
): Promise<ReadonlyMap<number, Uint8Array> | null> {
  const roots = new Map<number, Uint8Array>();
  const bundles = new CompactRange();
  for (const size of [...new Set(sizes)].sort((a, b) => a - b)) {
    const full = Math.floor(size / tileWidth);
    const isWhole = await readBundleHashes(db, ledger, bundles.size, full, (hash) => bundles.append(hash));
    const tree = isWhole ? BundleTree.decode(full * tileWidth, bundles.encode()) : null;
    if (tree === null) return null;
    const rest = size % tileWidth;
    const leaves = rest === 0 ? null : await readBundle(db, ledger, full);
    if (rest > 0 && (leaves?.length ?? 0) < rest * leafBytes) return null;
    for (let at = 0; leaves && at < rest * leafBytes; at += leafBytes)
      tree.append(hashLeaf(leaves.subarray(at, at + leafBytes)));
    roots.set(size, tree.root());
  }
  return roots;
}

/** Tiles of a ledger's tree, from its bundles. */
import { readBundle, readBundleHashes } from '../database/ledgerBundles.ts';
import type { Database } from '../database/pool.ts';
import { hashLeaves, leafBytes, rootOfTile, type Tile, tileWidth } from './tiles.ts';
import { hashBytes } from './tree.ts';

/** Leaves, 56 bytes each, of an entry bundle; or hashes, 32 bytes each. null: the ledger has less than the tile's width. */
export async function readTile(db: Database, ledger: string, tile: Tile): Promise<Buffer | null> {
  const { level, index, width } = tile;
  if (level === 'entries' || level === 0) {
    const leaves = (await readBundle(db, ledger, index))?.subarray(0, width * leafBytes);
    if (leaves === undefined || leaves.length < width * leafBytes) return null;
    return level === 0 ? hashLeaves(leaves) : leaves;
  }
  const perHash = tileWidth ** (level - 1);
  const from = index * tileWidth * perHash;
  const hashes: Buffer[] = [];
  const isWhole = await readBundleHashes(db, ledger, from, from + width * perHash, (hash) =>
    hashes.push(hash),
  );
  if (!isWhole) return null;
  return rise(Buffer.concat(hashes), level - 1);
}

/** The hashes so many levels of tiles above. */
function rise(hashes: Buffer, levels: number): Buffer {
  if (levels === 0) return hashes;
  const tileBytes = tileWidth * hashBytes;
  const above: Uint8Array[] = [];
  for (let at = 0; at < hashes.length; at += tileBytes)
    above.push(rootOfTile(hashes.subarray(at, at + tileBytes)));
  return rise(Buffer.concat(above), levels - 1);
}

/**
 * The tree as files (c2sp.org/tlog-tiles): a tile holds 256 hashes of one level in every eight, or fewer at the tree's right
 * edge; an entry bundle the 256 leaves below a tile of level 0. A full tile never changes, and a partial one has its width in its path.
 */
import { CompactRange, hashBytes, hashLeaf } from './tree.ts';
import type { ReadSubtrees } from './treeProof.ts';

/** Hashes in a full tile, and leaves in a full bundle. */
export const tileWidth = 256;
/** Bytes of a leaf: entry id, uid, fingerprint (see `leaf.ts`). */
export const leafBytes = 56;
/** Bytes of a leaf in a bundle: its length comes first, as a big-endian uint16. */
export const bundledLeafBytes = 2 + leafBytes;

/** A tile of hashes at a level from 0 on, or an entry bundle. */
export interface Tile {
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 256. */
  readonly width: number;
}

/** `tile/LEVEL/INDEX`, with `.p/WIDTH` when it is partial: index 1234067 is `x001/x234/067`. */
export function tilePath({ level, index, width }: Tile): string {
  let number = threeDigits(index % 1000);
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    number = `x${threeDigits(rest % 1000)}/${number}`;
  return `tile/${level}/${number}${width === tileWidth ? '' : `.p/${width}`}`;
}

const tilePattern = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** The tile of a path, or null when no tile has it. Only the one spelling of `tilePath` is a path. */
export function parseTilePath(path: string): Tile | null {
  const [, level, number, partial] = tilePattern.exec(path) ?? [];
  if (level === undefined || number === undefined) return null;
  const index = Number(number.replaceAll(/[x/]/g, ''));
  const tile = {
    level: level === 'entries' ? level : Number(level),
    index,
    width: partial === undefined ? tileWidth : Number(partial),
  } as const;
  return Number.isSafeInteger(index) && tile.width <= tileWidth && tilePath(tile) === path ? tile : null;
}

/** How many of the tile's hashes (or leaves) a tree of `size` has: 0 to 256. */
export function widthOf({ level, index }: Pick<Tile, 'level' | 'index'>, size: number): number {
  let hashes = size;
  for (let i = level === 'entries' ? 0 : level; i > 0; i--) hashes = Math.floor(hashes / tileWidth);
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/** Every bundle of a tree of `size`, in order. */
export function* bundlesOf(size: number): Generator<Tile> {
  for (let index = 0; index * tileWidth < size; index++)
    yield { level: 'entries', index, width: Math.min(tileWidth, size - index * tileWidth) };
}

/** Leaves one after the other, 56 bytes each, as a bundle: `00 38` before each. */
export function encodeBundle(leaves: Uint8Array): Buffer {
  const count = leaves.length / leafBytes;
  if (!Number.isInteger(count)) throw new RangeError(`${leaves.length} bytes are no whole number of leaves.`);
  const bundle = Buffer.alloc(count * bundledLeafBytes);
  for (let i = 0; i < count; i++) {
    bundle[i * bundledLeafBytes + 1] = leafBytes;
    bundle.set(leaves.subarray(i * leafBytes, (i + 1) * leafBytes), i * bundledLeafBytes + 2);
  }
  return bundle;
}

/** The leaves of a bundle one after the other, or null when it is not made of leaves of 56 bytes. */
export function decodeBundle(bundle: Uint8Array): Buffer | null {
  const count = bundle.length / bundledLeafBytes;
  if (!Number.isInteger(count)) return null;
  const leaves = Buffer.alloc(count * leafBytes);
  for (let i = 0; i < count; i++) {
    const at = i * bundledLeafBytes;
    if (bundle[at] !== 0 || bundle[at + 1] !== leafBytes) return null;
    leaves.set(bundle.subarray(at + 2, at + bundledLeafBytes), i * leafBytes);
  }
  return leaves;
}

/** The tile of level 0 over leaves one after the other: their hashes. */
export function hashLeaves(leaves: Uint8Array): Buffer {
  const hashes = Buffer.alloc((leaves.length / leafBytes) * hashBytes);
  for (let i = 0; i * leafBytes < leaves.length; i++)
    hashes.set(hashLeaf(leaves.subarray(i * leafBytes, (i + 1) * leafBytes)), i * hashBytes);
  return hashes;
}

/** The root over a tile's hashes; of a full tile it is one hash of the tile above. */
export function rootOfTile(hashes: Uint8Array): Uint8Array {
  const range = new CompactRange();
  for (let at = 0; at < hashes.length; at += hashBytes) range.append(hashes.subarray(at, at + hashBytes));
  return range.root();
}

/**
 * Reads subtrees, for proofs, out of tiles of hashes. Each tile is read once a call, at the width that a tree of `size` gives it.
 * @param readTile the tile's hashes, 32 bytes each.
 */
export function readFromTiles(size: number, readTile: (tile: Tile) => Promise<Uint8Array>): ReadSubtrees {
  return async (subtrees) => {
    const tiles = new Map<string, Promise<Uint8Array>>();
    return Promise.all(
      subtrees.map(async ({ level, index }) => {
        const tileLevel = Math.floor(level / 8);
        const hashes = 2 ** (level % 8);
        const tileIndex = Math.floor((index * hashes) / tileWidth);
        const tile = { level: tileLevel, index: tileIndex };
        const path = `${tileLevel}/${tileIndex}`;
        const read = tiles.get(path) ?? readTile({ ...tile, width: widthOf(tile, size) });
        tiles.set(path, read);
        const at = ((index * hashes) % tileWidth) * hashBytes;
        return rootOfTile((await read).subarray(at, at + hashes * hashBytes));
      }),
    );
  };
}

function threeDigits(value: number): string {
  return String(value).padStart(3, '0');
}

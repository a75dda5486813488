import { expect, test } from 'vitest';
import { encodeLeaf } from './leaf.ts';
import {
  bundledLeafBytes,
  bundlesOf,
  decodeBundle,
  encodeBundle,
  hashLeaves,
  leafBytes,
  parseTilePath,
  readFromTiles,
  rootOfTile,
  type Tile,
  tilePath,
  tileWidth,
  widthOf,
} from './tiles.ts';
import { CompactRange, hashLeaf } from './tree.ts';
import { checkConsistency, checkInclusion, proveConsistency, proveInclusion } from './treeProof.ts';

const size = 600;
const leaves = Buffer.concat(
  Array.from({ length: size }, (_, i) =>
    encodeLeaf({ entryId: BigInt(i), uid: Buffer.alloc(16, i), fingerprint: Buffer.alloc(32, i) }),
  ),
);
const leafAt = (i: number) => leaves.subarray(i * leafBytes, (i + 1) * leafBytes);

function rootOf(count: number): Uint8Array {
  const range = new CompactRange();
  for (let i = 0; i < count; i++) range.append(hashLeaf(leafAt(i)));
  return range.root();
}

test('names the tiles of 600 entries', () => {
  const paths: string[] = [];
  for (const level of [0, 1, 2])
    for (let index = 0; widthOf({ level, index }, size) > 0; index++)
      paths.push(tilePath({ level, index, width: widthOf({ level, index }, size) }));
  expect(paths).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2']);
  expect([...bundlesOf(size)].map(tilePath)).toEqual([
    'tile/entries/000',
    'tile/entries/001',
    'tile/entries/002.p/88',
  ]);
  expect([...bundlesOf(512)].map(tilePath)).toEqual(['tile/entries/000', 'tile/entries/001']);
});

test('reads a path in its one spelling', () => {
  for (const tile of [
    { level: 0, index: 1234067, width: tileWidth },
    { level: 'entries', index: 0, width: 1 },
    { level: 6, index: 999, width: 255 },
  ] satisfies Tile[])
    expect(parseTilePath(tilePath(tile))).toEqual(tile);
  expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
  for (const path of [
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/00/000',
    'tile/0/x000/001',
    'tile/0/1',
    'tile/0/000/',
    'tile/8/0/000',
    '/tile/0/000',
    'tile/entries/000.p/01',
  ])
    expect(parseTilePath(path), path).toBeNull();
});

test('packs leaves into a bundle, each after its length', () => {
  const bundle = encodeBundle(leaves.subarray(0, 2 * leafBytes));
  expect(bundle).toHaveLength(2 * bundledLeafBytes);
  expect(bundle.subarray(bundledLeafBytes, 60).toString('hex')).toBe('0038');
  expect(decodeBundle(bundle)).toEqual(leaves.subarray(0, 2 * leafBytes));
  expect(decodeBundle(bundle.subarray(1))).toBeNull();
  bundle[59] = 0x39;
  expect(decodeBundle(bundle)).toBeNull();
});

test('proves from tiles alone, and asks for each tile once', async () => {
  const asked: string[] = [];
  const readTile = async (tile: Tile) => {
    asked.push(tilePath(tile));
    const { level, index, width } = tile;
    if (level === 0)
      return hashLeaves(leaves.subarray(index * 256 * leafBytes).subarray(0, width * leafBytes));
    const below = [0, 1].map((i) =>
      hashLeaves(leaves.subarray(i * 256 * leafBytes, (i + 1) * 256 * leafBytes)),
    );
    return Buffer.concat(below.map(rootOfTile));
  };
  const read = readFromTiles(size, readTile);
  const proof = await proveInclusion(530, size, read);
  expect(checkInclusion(proof, 530, size, hashLeaf(leafAt(530)), rootOf(size))).toBe(true);
  expect(asked.toSorted()).toEqual(['tile/0/002.p/88', 'tile/1/000.p/2']);
  const steps = await proveConsistency(300, size, read);
  expect(checkConsistency(steps, 300, rootOf(300), size, rootOf(size))).toBe(true);
});

import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompactRange, hashLeaf, hashNode } from './tree.ts';
import {
  checkConsistency,
  checkInclusion,
  proveConsistency,
  proveInclusion,
  type ReadSubtrees,
  readRoot,
} from './treeProof.ts';

/** The roots of 0 to 8 leaves as golang.org/x/mod/sumdb/tlog gives them. */
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'ee1a76e4232947838a0cd28188df410a3578aa4c6ae6c4322fbb7244dcfca4b2',
  'ef6840a8e67d0d21e9fe5395ffeacd638b25a54fcbac26d9b34a131fa86cc946',
  '7b408bea5ba4e556f31ea7d2877b27abd66f5bb6a6dbc9d47a6374c346c59a3d',
  '36030af3af678a2e0a4e8737b14271eccd53016229f36788a743b5bd33bfa544',
  '979f3d74b7dc187ba1a95e2e61671af9eb3aff1ac5ed26eea7db1932a8410f27',
  '97cc81f5c3aff7353ce9687781fe48a665a4cb4f79b24f1da72054861db7b541',
  '83f1a9b099bbb7d9b1f61c53aed2728dd33508a373facbb51a1a192beecde242',
  'ae3f55c2b84e319dcbae904085143bff0b20311287c0847c1c5310da3e438b0b',
];

/** Entry id i + 1, a uid of bytes i, and SHA-256 of the decimal text of i. */
function leafOf(i: number): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigInt64BE(BigInt(i + 1));
  return Buffer.concat([id, Buffer.alloc(16, i), hash('sha256', String(i), 'buffer')]);
}

const leafHashes = Array.from({ length: 600 }, (_, i) => hashLeaf(leafOf(i)));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function treeOf(size: number): CompactRange {
  const range = new CompactRange();
  for (const leafHash of leafHashes.slice(0, size)) range.append(leafHash);
  return range;
}

/** Section 2.1.1 word by word, for full subtrees. */
function subtree(level: number, index: number): Uint8Array {
  if (level === 0) return leafHashes[index] ?? new Uint8Array(32);
  return hashNode(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1));
}

const read: ReadSubtrees = async (wanted) => wanted.map(({ level, index }) => subtree(level, index));

describe('the tree', () => {
  test('has the roots that Go gives it, also when it goes on from its state', async () => {
    let range = new CompactRange();
    for (const [size, root] of roots.entries()) {
      expect(hex(range.root())).toBe(root);
      expect(hex(await readRoot(size, read))).toBe(root);
      range = CompactRange.decode(size, range.encode()) ?? new CompactRange();
      range.append(leafHashes[size] ?? new Uint8Array(32));
    }
  });

  test('takes no state of another length, and no size that is none', () => {
    const state = treeOf(7).encode();
    expect(state).toHaveLength(96);
    for (const size of [0, 3, 6, 8, -7, 7.5, Number.NaN, 2 ** 53])
      expect(CompactRange.decode(size, state)).toBeNull();
    expect(CompactRange.decode(7, state.subarray(1))).toBeNull();
    expect(CompactRange.decode(2 ** 52 + 2, Buffer.alloc(64))?.size).toBe(2 ** 52 + 2);
  });

  test('proves a leaf, and what was the whole tree before', async () => {
    const four = [subtree(0, 5), subtree(0, 6), subtree(2, 0)];
    expect((await proveInclusion(4, 7, read)).map(hex)).toEqual(four.map((bytes) => hex(bytes)));
    const three = [subtree(0, 2), subtree(0, 3), subtree(1, 0), hashNode(subtree(1, 2), subtree(0, 6))];
    expect((await proveConsistency(3, 7, read)).map(hex)).toEqual(three.map((bytes) => hex(bytes)));
    expect(hex(three[3] ?? new Uint8Array())).toMatch(/^8c9b4269/);
  });

  test('accepts each proof, and none that was altered', async () => {
    const size = fc.integer({ min: 1, max: 600 });
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (to, a, b) => {
        const [root, index, from] = [treeOf(to).root(), a % to, b % (to + 1)];
        const leafHash = leafHashes[index] ?? new Uint8Array(32);
        const proof = await proveInclusion(index, to, read);
        expect(checkInclusion(proof, index, to, leafHash, root)).toBe(true);
        expect(checkInclusion(proof, index, to, hashLeaf(leafHash), root)).toBe(false);
        expect(checkInclusion([...proof, leafHash], index, to, leafHash, root)).toBe(false);
        if (index > 0) expect(checkInclusion(proof, index - 1, to, leafHash, root)).toBe(false);
        const fromRoot = treeOf(from).root();
        const steps = await proveConsistency(from, to, read);
        expect(checkConsistency(steps, from, fromRoot, to, root)).toBe(true);
        expect(checkConsistency(steps, from, hashLeaf(fromRoot), to, root)).toBe(false);
        expect(checkConsistency([...steps, root], from, fromRoot, to, root)).toBe(false);
        if (steps.length > 0) expect(checkConsistency(steps.slice(1), from, fromRoot, to, root)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });
});

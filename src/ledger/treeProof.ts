/**
 * Proofs about the tree of `tree.ts`: that a leaf is in it (RFC 9162, section 2.1.3), and that a smaller tree is its beginning
 * (section 2.1.4). Made from the hashes of full subtrees, which the caller reads; checked with nothing but the proof.
 */
import { emptyRoot, foldSubtrees, hashNode } from './tree.ts';

/** A full subtree: the 2^level leaves from index · 2^level on. Level 0 is a leaf's hash. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Reads the hashes of full subtrees, in the order asked for. */
export type ReadSubtrees = (subtrees: readonly Subtree[]) => Promise<readonly Uint8Array[]>;

/** Leaves from `from` up to, and without, `to`. */
type Range = readonly [from: number, to: number];

/** The root that the tree had when it was of `size`. */
export async function readRoot(size: number, read: ReadSubtrees): Promise<Uint8Array> {
  const [root] = await readRanges([[0, size]], read);
  return root ?? emptyRoot;
}

/**
 * The inclusion proof of the leaf at `index` (from 0) in the tree of `size`, bottom up.
 * @throws RangeError unless 0 ≤ index < size.
 */
export async function proveInclusion(
  index: number,
  size: number,
  read: ReadSubtrees,
): Promise<readonly Uint8Array[]> {
  if (index < 0 || index >= size) throw new RangeError(`There is no leaf ${index} in a tree of ${size}.`);
  return readRanges(inclusionPath(index, [0, size]), read);
}

/**
 * The consistency proof that the tree of size `from` is the beginning of that of size `to`.
 * @throws RangeError unless 0 ≤ from ≤ to.
 */
export async function proveConsistency(
  from: number,
  to: number,
  read: ReadSubtrees,
): Promise<readonly Uint8Array[]> {
  if (from < 0 || from > to) throw new RangeError(`A tree of ${from} is no beginning of a tree of ${to}.`);
  return from === 0 ? [] : readRanges(consistencyPath(from, [0, to], true), read);
}

/** Section 2.1.3.2: whether the proof leads from the leaf's hash to the root. */
export function checkInclusion(
  proof: readonly Uint8Array[],
  index: number,
  size: number,
  leafHash: Uint8Array,
  root: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let node = leafHash;
  let at = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = hashNode(sibling, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      node = hashNode(node, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isEqual(node, root);
}

/** Section 2.1.4.2: whether the tree of `from` with `fromRoot` is the beginning of that of `to` with `toRoot`. */
export function checkConsistency(
  proof: readonly Uint8Array[],
  from: number,
  fromRoot: Uint8Array,
  to: number,
  toRoot: Uint8Array,
): boolean {
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to) return false;
  if (from === 0) return proof.length === 0 && isEqual(fromRoot, emptyRoot);
  if (from === to) return proof.length === 0 && isEqual(fromRoot, toRoot);
  let at = from - 1;
  let last = to - 1;
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  const path = at === 0 ? [fromRoot, ...proof] : [...proof];
  const first = path.shift();
  if (first === undefined) return false;
  let [old, whole] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      old = hashNode(sibling, old);
      whole = hashNode(sibling, whole);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      whole = hashNode(whole, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isEqual(old, fromRoot) && isEqual(whole, toRoot);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The largest power of two below `count`, where a tree of more than one leaf splits. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

function inclusionPath(index: number, [from, to]: Range): Range[] {
  if (to - from === 1) return [];
  const middle = from + splitOf(to - from);
  return index < middle
    ? [...inclusionPath(index, [from, middle]), [middle, to]]
    : [...inclusionPath(index, [middle, to]), [from, middle]];
}

/** `isWhole`: whoever checks has the root of the old tree's part already. */
function consistencyPath(old: number, [from, to]: Range, isWhole: boolean): Range[] {
  if (old === to) return isWhole ? [] : [[from, to]];
  const middle = from + splitOf(to - from);
  return old <= middle
    ? [...consistencyPath(old, [from, middle], isWhole), [middle, to]]
    : [...consistencyPath(old, [middle, to], false), [from, middle]];
}

/** The roots of the ranges. All subtrees are asked for at once, so that the reader can fetch what lies together once. */
async function readRanges(ranges: readonly Range[], read: ReadSubtrees): Promise<Uint8Array[]> {
  const parts = ranges.map(subtreesOf);
  const hashes = await read(parts.flat());
  let next = 0;
  return parts.map((part) => {
    const start = next;
    next += part.length;
    return foldSubtrees(hashes.slice(start, next));
  });
}

/** The full subtrees of a range, largest first; `from` is a multiple of the largest's leaves. */
function subtreesOf([from, to]: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  for (let at = from; at < to; ) {
    let level = 0;
    let leaves = 1;
    while (at + leaves * 2 <= to) {
      leaves *= 2;
      level++;
    }
    subtrees.push({ level, index: at / leaves });
    at += leaves;
  }
  return subtrees;
}

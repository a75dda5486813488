/** A leaf of the ledger, 56 bytes: entry id (int64, big-endian) ‖ uid (16) ‖ fingerprint (32). It holds none of the entry's contents. */
import { leafBytes } from './tiles.ts';

export interface Leaf {
  readonly entryId: bigint;
  /** 16 bytes. */
  readonly uid: Uint8Array;
  /** 32 bytes. */
  readonly fingerprint: Uint8Array;
}

/** Writes the leaf at `at`, and returns the position after it. */
export function writeLeaf(bytes: Buffer, at: number, { entryId, uid, fingerprint }: Leaf): number {
  bytes.writeBigInt64BE(entryId, at);
  bytes.set(uid, at + 8);
  bytes.set(fingerprint, at + 24);
  return at + leafBytes;
}

export function encodeLeaf(leaf: Leaf): Buffer {
  const bytes = Buffer.alloc(leafBytes);
  writeLeaf(bytes, 0, leaf);
  return bytes;
}

/** The leaf at `at`; uid and fingerprint are views on the bytes. */
export function decodeLeaf(bytes: Uint8Array, at = 0): Leaf {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, leafBytes);
  return {
    entryId: view.getBigInt64(0),
    uid: bytes.subarray(at + 8, at + 24),
    fingerprint: bytes.subarray(at + 24, at + leafBytes),
  };
}

/** A ledger as files, built from entries by the product's own modules: what a server of a ledger would serve. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatCheckpoint } from '../../src/ledger/checkpoint.ts';
import { Fingerprinter, type SealedFields } from '../../src/ledger/fingerprint.ts';
import { encodeLeaf } from '../../src/ledger/leaf.ts';
import { LedgerKey } from '../../src/ledger/ledgerKey.ts';
import { signNote, verifierKey } from '../../src/ledger/note.ts';
import {
  bundlesOf,
  encodeBundle,
  hashLeaves,
  leafBytes,
  rootOfTile,
  tilePath,
  tileWidth,
  widthOf,
} from '../../src/ledger/tiles.ts';
import { CompactRange, hashBytes, hashLeaf } from '../../src/ledger/tree.ts';

export interface LedgerFolder {
  readonly folder: string;
  readonly origin: string;
  /** The verifier key to trust. */
  readonly publicKey: string;
  /** All leaves, one after the other. */
  readonly leaves: Buffer;
  readonly key: LedgerKey;
}

const origin = 'audit.example.com/0f8fad5b-d9cb-469f-a165-70867728950e';

export function leavesOf(entries: Iterable<SealedFields>): Buffer {
  const fingerprinter = new Fingerprinter();
  const leaves: Buffer[] = [];
  for (const entry of entries)
    leaves.push(
      encodeLeaf({ entryId: entry.id, uid: entry.uid, fingerprint: fingerprinter.fingerprint(entry) }),
    );
  return Buffer.concat(leaves);
}

/** The signed checkpoint of the first `size` leaves. */
export function signCheckpoint(key: LedgerKey, leaves: Buffer, size = leaves.length / leafBytes): Buffer {
  const tree = new CompactRange();
  for (let at = 0; at < size * leafBytes; at += leafBytes)
    tree.append(hashLeaf(leaves.subarray(at, at + leafBytes)));
  return signNote(formatCheckpoint({ origin, size, root: tree.root() }), [key.signerFor(origin)]);
}

/** Writes checkpoint, verifier keys, bundles and tiles into `folder`. */
export async function writeLedger(folder: string, leaves: Buffer): Promise<LedgerFolder> {
  const key = new LedgerKey(generateKeyPairSync('ed25519').privateKey);
  const size = leaves.length / leafBytes;
  const write = async (path: string, bytes: Uint8Array | string): Promise<void> => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  };
  let below = Buffer.alloc(0);
  for (const bundle of bundlesOf(size)) {
    const start = bundle.index * tileWidth * leafBytes;
    const part = leaves.subarray(start, start + bundle.width * leafBytes);
    await write(tilePath(bundle), encodeBundle(part));
    below = Buffer.concat([below, hashLeaves(part)]);
  }
  for (let level = 0; below.length > 0; level++) {
    const above: Uint8Array[] = [];
    for (let index = 0; widthOf({ level, index }, size) > 0; index++) {
      const width = widthOf({ level, index }, size);
      const tile = below.subarray(index * tileWidth * hashBytes).subarray(0, width * hashBytes);
      await write(tilePath({ level, index, width }), tile);
      if (width === tileWidth) above.push(rootOfTile(tile));
    }
    below = Buffer.concat(above);
  }
  const publicKey = verifierKey(origin, key.publicKey);
  await write('vkeys', `${publicKey}\n`);
  await write('checkpoint', signCheckpoint(key, leaves));
  return { folder, origin, publicKey, leaves, key };
}

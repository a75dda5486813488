import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatCheckpoint } from './checkpoint.ts';
import { decodeLeaf, encodeLeaf } from './leaf.ts';
import { LedgerKey } from './ledgerKey.ts';
import { parseVerifierKey, signNote, verifierKey } from './note.ts';
import { checkProof, readProof, writeProof } from './proof.ts';
import { hashLeaves, leafBytes, readFromTiles } from './tiles.ts';
import { CompactRange, hashLeaf } from './tree.ts';
import { proveInclusion } from './treeProof.ts';

const origin = 'audit.example.com/0f8fad5b-d9cb-469f-a165-70867728950e';
const key = new LedgerKey(generateKeyPairSync('ed25519').privateKey);
const known = [parseVerifierKey(verifierKey(origin, key.publicKey)) ?? []].flat();
const leaves = Buffer.concat(
  Array.from({ length: 7 }, (_, i) =>
    encodeLeaf({ entryId: BigInt(i - 1), uid: Buffer.alloc(16, i), fingerprint: Buffer.alloc(32, i) }),
  ),
);

async function proofOf(index: number): Promise<Buffer> {
  const range = new CompactRange();
  for (let at = 0; at < leaves.length; at += leafBytes)
    range.append(hashLeaf(leaves.subarray(at, at + leafBytes)));
  const text = formatCheckpoint({ origin, size: 7, root: range.root() });
  return writeProof({
    index,
    leaf: leaves.subarray(index * leafBytes, (index + 1) * leafBytes),
    hashes: await proveInclusion(
      index,
      7,
      readFromTiles(7, async () => hashLeaves(leaves)),
    ),
    checkpoint: signNote(text, [key.signerFor(origin)]),
  });
}

test('a proof file proves its entry, offline', async () => {
  const file = await proofOf(4);
  expect(file.toString().split('\n').slice(0, 3)).toEqual([
    'c2sp.org/tlog-proof@v1',
    `extra ${leaves.subarray(4 * leafBytes, 5 * leafBytes).toString('base64')}`,
    'index 4',
  ]);
  const proof = readProof(file);
  if (proof === null) throw new Error('no proof');
  expect(checkProof(proof, known)).toMatchObject({ kind: 'proven', checkpoint: { origin, size: 7 } });
  expect(decodeLeaf(proof.leaf)).toEqual({
    entryId: 3n,
    uid: Buffer.alloc(16, 4),
    fingerprint: Buffer.alloc(32, 4),
  });
  const other = { ...proof, leaf: encodeLeaf({ ...decodeLeaf(proof.leaf), entryId: 4n }) };
  expect(checkProof(other, known)).toMatchObject({ kind: 'refused' });
  expect(checkProof({ ...proof, index: 3 }, known)).toMatchObject({ kind: 'refused' });
  expect(checkProof(proof, [])).toMatchObject({ kind: 'refused' });
});

test('nothing else is a proof file', async () => {
  const file = (await proofOf(4)).toString();
  for (const wrong of [
    file.replace('@v1', '@v2'),
    file.replace('index 4', 'index 04'),
    file.replace('extra ', 'extra AA'),
    file.replace(/\n\n/, '\nAAAA\n\n'),
    '',
  ])
    expect(readProof(Buffer.from(wrong)), wrong).toBeNull();
});

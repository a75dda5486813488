/**
 * A `.tlog-proof` file (c2sp.org/tlog-proof@v1): everything that proves, offline, that one entry is sealed. Its `extra` line holds the
 * leaf, which nobody may trust before it has led to the signed root and its fingerprint equals that of the entry in hand.
 */
import { type Checkpoint, openCheckpoint } from './checkpoint.ts';
import { decodeBase64, type NoteVerifier } from './note.ts';
import { leafBytes } from './tiles.ts';
import { hashBytes, hashLeaf } from './tree.ts';
import { checkInclusion } from './treeProof.ts';

const firstLine = 'c2sp.org/tlog-proof@v1';
/** A path is at most as long as the tree is deep. */
const maxHashes = 64;

export interface LedgerProof {
  /** The leaf's index, from 0; people see the number, index + 1. */
  readonly index: number;
  /** 56 bytes. */
  readonly leaf: Uint8Array;
  /** The inclusion proof in the tree of the checkpoint's size, bottom up. */
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint. */
  readonly checkpoint: Uint8Array;
}

export type CheckedProof =
  /** The leaf is sealed at this checkpoint. Compare its fingerprint with the entry's. */
  | { readonly kind: 'proven'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'refused'; readonly problem: string };

export function writeProof({ index, leaf, hashes, checkpoint }: LedgerProof): Buffer {
  const lines = [firstLine, `extra ${base64(leaf)}`, `index ${index}`, ...hashes.map(base64), '', ''];
  return Buffer.concat([Buffer.from(lines.join('\n')), checkpoint]);
}

/** The proof of a file, nothing of it checked; null when it is not one of a ledger. */
export function readProof(file: Uint8Array): LedgerProof | null {
  const bytes = Buffer.from(file);
  const split = bytes.indexOf('\n\n');
  if (split < 0) return null;
  const [first, extra = '', number = '', ...path] = bytes.toString('latin1', 0, split).split('\n');
  const leaf = decodeBase64(extra.startsWith('extra ') ? extra.slice(6) : '');
  const index = Number(/^index (0|[1-9]\d*)$/.exec(number)?.[1] ?? Number.NaN);
  const hashes = path.map(decodeBase64).filter((hash) => hash?.length === hashBytes) as Buffer[];
  if (first !== firstLine || leaf?.length !== leafBytes || !Number.isSafeInteger(index)) return null;
  if (hashes.length !== path.length || hashes.length > maxHashes) return null;
  return { index, leaf, hashes, checkpoint: bytes.subarray(split + 2) };
}

/** Whether the leaf leads to the root that a known key signed. */
export function checkProof(proof: LedgerProof, known: readonly NoteVerifier[]): CheckedProof {
  const opened = openCheckpoint(proof.checkpoint, known);
  if (opened.kind === 'refused')
    return { kind: 'refused', problem: `The checkpoint is refused. ${opened.problem}` };
  const { size, root } = opened.checkpoint;
  if (!checkInclusion(proof.hashes, proof.index, size, hashLeaf(proof.leaf), root))
    return { kind: 'refused', problem: `The proof does not lead to the root of ${size} entries.` };
  return { kind: 'proven', checkpoint: opened.checkpoint };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/**
 * Opens a ledger: its signed checkpoint, then every leaf. All leaves are read before one is used, because only all of them
 * together give the root that is signed.
 */
import {
  type Checkpoint,
  type OpenedCheckpoint,
  openCheckpoint,
  readUnsigned,
} from '../ledger/checkpoint.ts';
import type { NoteVerifier } from '../ledger/note.ts';
import { bundlesOf, decodeBundle, leafBytes, tilePath } from '../ledger/tiles.ts';
import { CompactRange, hashLeaf } from '../ledger/tree.ts';
import type { ReadLedgerFile } from './ledgerFiles.ts';
import { SealedEntries } from './sealedEntries.ts';

export type OpenedLedger =
  | {
      readonly kind: 'opened';
      readonly checkpoint: Checkpoint;
      readonly signers: readonly NoteVerifier[];
      readonly sealed: SealedEntries;
    }
  /** It was read, and nobody may trust it. One sentence. */
  | { readonly kind: 'refused'; readonly problem: string };

/** A checkpoint that somebody kept, as a signed note. */
export interface OlderCheckpoint {
  /** Where it was kept, for a sentence about it. */
  readonly name: string;
  readonly note: Uint8Array;
}

export interface Trust {
  readonly keys: readonly NoteVerifier[];
  /** Which ledger it must be: one of these. */
  readonly origins: readonly string[];
  readonly older: readonly OlderCheckpoint[];
  /** A checkpoint without a signature is good enough. */
  readonly allowsUnsigned: boolean;
}

/** Bundles asked for at once: a server is far away. */
const bundlesAhead = 8;

/**
 * @param onProgress is called with the number of leaves read so far.
 * @throws Error one sentence when a file cannot be read.
 */
export async function openLedger(
  read: ReadLedgerFile,
  trust: Trust,
  onProgress: (leaves: number, size: number) => void,
): Promise<OpenedLedger> {
  const head = openOne('The checkpoint', await read('checkpoint'), trust);
  if (head.kind === 'refused') return head;
  const { checkpoint, signers } = head;
  const older = new Map<number, Array<{ name: string; root: Uint8Array }>>();
  for (const { name, note } of trust.older) {
    const opened = openOne(name, note, { ...trust, origins: [checkpoint.origin] });
    if (opened.kind === 'refused') return opened;
    const { size, root } = opened.checkpoint;
    if (size > checkpoint.size)
      return refused(
        `${name} is of ${size} entries, and the ledger has only ${checkpoint.size}: it was set back.`,
      );
    older.set(size, [...(older.get(size) ?? []), { name, root }]);
  }
  const tree = new CompactRange();
  /** Null, or that the ledger had another root at the size that the tree has now. */
  const findOther = (): OpenedLedger | null => {
    const root = older.has(tree.size) ? tree.root() : null;
    const other = older
      .get(tree.size)
      ?.find((kept) => root !== null && Buffer.compare(kept.root, root) !== 0);
    return other === undefined
      ? null
      : refused(
          `${other.name} is not the beginning of the ledger: its first ${tree.size} entries were other ones.`,
        );
  };
  const leaves = Buffer.alloc(checkpoint.size * leafBytes);
  let other = findOther();
  for await (const { path, bytes, width } of readBundles(checkpoint.size, read)) {
    const part = decodeBundle(bytes);
    if (part === null || part.length !== width * leafBytes)
      return refused(`The ledger's file ${path} does not hold ${width} leaves.`);
    leaves.set(part, tree.size * leafBytes);
    for (let at = 0; at < part.length; at += leafBytes) {
      tree.append(hashLeaf(part.subarray(at, at + leafBytes)));
      other ??= findOther();
    }
    onProgress(tree.size, checkpoint.size);
  }
  if (Buffer.compare(tree.root(), checkpoint.root) !== 0)
    return refused(
      `The ledger's entries do not give the root that was signed for ${checkpoint.size}: they were altered after it was signed.`,
    );
  return other ?? { kind: 'opened', checkpoint, signers, sealed: new SealedEntries(leaves) };
}

function openOne(
  name: string,
  note: Uint8Array,
  { keys, origins, allowsUnsigned }: Trust,
): Exclude<OpenedCheckpoint, { kind: 'refused' }> | Extract<OpenedLedger, { kind: 'refused' }> {
  const unsigned = allowsUnsigned ? readUnsigned(note) : null;
  const opened: OpenedCheckpoint =
    unsigned === null ? openCheckpoint(note, keys) : { kind: 'opened', checkpoint: unsigned, signers: [] };
  if (opened.kind === 'refused') return refused(`${name} is refused. ${opened.problem}`);
  const { origin } = opened.checkpoint;
  return origins.includes(origin)
    ? opened
    : refused(`${name} is of another ledger, ${JSON.stringify(origin)}, not of ${origins.join(' or ')}.`);
}

interface ReadBundle {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** How many leaves it must hold. */
  readonly width: number;
}

/** In order, some of them read ahead. */
async function* readBundles(size: number, read: ReadLedgerFile): AsyncGenerator<ReadBundle> {
  const tiles = bundlesOf(size);
  const ahead: Array<Promise<ReadBundle>> = [];
  const readNext = (): void => {
    const { value: tile } = tiles.next();
    if (tile === undefined) return;
    const path = tilePath(tile);
    const next = read(path).then((bytes) => ({ path, bytes, width: tile.width }));
    next.catch(() => {}); // it is thrown where its turn comes, or one before it was
    ahead.push(next);
  };
  for (let i = 0; i < bundlesAhead; i++) readNext();
  for (let next = ahead.shift(); next !== undefined; next = ahead.shift()) {
    yield await next;
    readNext();
  }
}

function refused(problem: string): Extract<OpenedLedger, { kind: 'refused' }> {
  return { kind: 'refused', problem };
}

/** What a ledger signs (c2sp.org/tlog-checkpoint, v1.0.0): its origin, its size and its root. A checkpoint has no time. */
import { decodeBase64, type NoteVerifier, openNote } from './note.ts';
import { hashBytes } from './tree.ts';

export interface Checkpoint {
  /** `LEDGER_NAME/LEDGER_UUID`: which ledger. */
  readonly origin: string;
  /** Number of sealed entries. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

export type OpenedCheckpoint =
  | {
      readonly kind: 'opened';
      readonly checkpoint: Checkpoint;
      /** The known keys whose signatures hold. */
      readonly signers: readonly NoteVerifier[];
    }
  | { readonly kind: 'refused'; readonly problem: string };

/** The id of an origin; null: it is not one of ours. */
export function ledgerIdOf(origin: string): string | null {
  return /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(origin)?.[1] ?? null;
}

/** The text to sign: three lines. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;
}

/** The checkpoint of a text, or null when it is none. Extension lines make it none: we write none, so nothing reads them. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = '', number = '', base64 = '', ...rest] = text.split('\n');
  const size = Number(number);
  const root = decodeBase64(base64);
  const isWhole = rest.length === 1 && rest[0] === '';
  if (origin === '' || !isWhole || !/^(0|[1-9]\d*)$/.test(number) || !Number.isSafeInteger(size)) return null;
  return root?.length === hashBytes ? { origin, size, root } : null;
}

/** The checkpoint of a note that nobody has signed, as a collector without a key makes it; null: it is signed, or none. */
export function readUnsigned(note: Uint8Array): Checkpoint | null {
  const text = Buffer.from(note).toString();
  return text.endsWith('\n\n') ? parseCheckpoint(text.slice(0, -1)) : null;
}

/** Opens a signed checkpoint with the keys that are known. */
export function openCheckpoint(note: Uint8Array, known: readonly NoteVerifier[]): OpenedCheckpoint {
  if (readUnsigned(note) !== null)
    return { kind: 'refused', problem: 'It is not signed: the collector that made it had no LEDGER_KEY.' };
  const opened = openNote(note, known);
  if (opened.kind === 'refused') return opened;
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint === null)
    return { kind: 'refused', problem: 'It is signed, but holds no origin, size and root.' };
  return { kind: 'opened', checkpoint, signers: opened.signers };
}

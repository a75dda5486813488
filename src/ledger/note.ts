/** Signed notes (c2sp.org/signed-note, v1.0.0): a text that one key or several have signed, as text. */
import { createPublicKey, hash, verify } from 'node:crypto';

/** The algorithm's byte in a key id and in a verifier key: Ed25519. */
const ed25519 = 0x01;
/** SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes (RFC 8410, section 4). */
const publicKeyHead = Buffer.from('302a300506032b6570032100', 'hex');
/** More lines than anybody signs; Go's note package stops there as well. */
const maxSignatures = 100;
const signatureBytes = 64;

/** Who can sign: a key under the name it is published by. */
export interface NoteSigner {
  readonly name: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The Ed25519 signature, 64 bytes. */
  sign(text: Uint8Array): Uint8Array;
}

/** What is known of a key that signs: enough to check. */
export interface NoteVerifier {
  readonly name: string;
  /** 8 hexadecimal digits, in lower case. */
  readonly id: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

export type OpenedNote =
  /** `text` ends with a line feed; `signers` are the known keys whose signatures hold, at least one. */
  | { readonly kind: 'opened'; readonly text: string; readonly signers: readonly NoteVerifier[] }
  /** One sentence that says why nobody may trust it. */
  | { readonly kind: 'refused'; readonly problem: string };

/** Whether a key may have the name: not empty, no white space, no plus, and text that UTF-8 can hold. */
export function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+\p{Cc}]/u.test(name) && name.isWellFormed();
}

/** The first four bytes of SHA-256(name ‖ LF ‖ 01 ‖ public key), as hexadecimal digits. */
export function keyId(name: string, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(ed25519), publicKey]);
  return hash('sha256', input, 'buffer').subarray(0, 4).toString('hex');
}

/** `NAME+ID+KEY`: what is published, so that others can check. */
export function verifierKey(name: string, publicKey: Uint8Array): string {
  const key = Buffer.concat([Uint8Array.of(ed25519), publicKey]).toString('base64');
  return `${name}+${keyId(name, publicKey)}+${key}`;
}

/** The key of a verifier key, or null when the text is none for Ed25519 or its id does not fit its key. */
export function parseVerifierKey(text: string): NoteVerifier | null {
  const [, name = '', id = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text) ?? [];
  const key = decodeBase64(base64);
  if (!isKeyName(name) || key === null || key.length !== 33 || key[0] !== ed25519) return null;
  const publicKey = key.subarray(1);
  return keyId(name, publicKey) === id ? { name, id, publicKey } : null;
}

/**
 * The text with a signature of each signer, as bytes to keep: not every database can store its dashes as text.
 * @throws Error when the text is not one or more whole lines without control characters, or a name is none.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): Buffer {
  if (!isNoteText(text)) throw new Error('A note is one or more whole lines without control characters.');
  const signed = Buffer.from(text);
  return joinNote(
    text,
    signers.map((signer) => {
      if (!isKeyName(signer.name)) throw new Error(`${JSON.stringify(signer.name)} cannot name a key.`);
      const id = Buffer.from(keyId(signer.name, signer.publicKey), 'hex');
      const signature = Buffer.concat([id, signer.sign(signed)]).toString('base64');
      return { name: signer.name, signature };
    }),
  );
}

/** A signature line's name and its base64: key id and signature. */
export interface NoteSignature {
  readonly name: string;
  readonly signature: string;
}

/** A note of its text and its signatures, as they were kept apart. */
export function joinNote(text: string, signatures: readonly NoteSignature[]): Buffer {
  return Buffer.from(
    `${text}\n${signatures.map(({ name, signature }) => `— ${name} ${signature}\n`).join('')}`,
  );
}

/** The text of a note and its signatures, none of them checked; null when it is not a note. */
export function splitNote(note: Uint8Array): { text: string; signatures: readonly NoteSignature[] } | null {
  const whole = decodeUtf8(note);
  const split = whole?.lastIndexOf('\n\n') ?? -1;
  if (whole === null || split < 0 || !whole.endsWith('\n')) return null;
  const text = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2, -1).split('\n');
  if (!isNoteText(text) || lines.length > maxSignatures) return null;
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const [, name = '', signature = ''] = /^— ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
    const bytes = decodeBase64(signature);
    if (!isKeyName(name) || bytes === null || bytes.length < 5) return null;
    signatures.push({ name, signature });
  }
  return { text, signatures };
}

/** Opens a note with the keys that are known. Unknown keys are ignored; one wrong signature of a known key refuses it. */
export function openNote(note: Uint8Array, known: readonly NoteVerifier[]): OpenedNote {
  const parts = splitNote(note);
  if (parts === null) return { kind: 'refused', problem: 'It is not a signed note.' };
  const signed = Buffer.from(parts.text);
  const signers = new Set<NoteVerifier>();
  for (const { name, signature } of parts.signatures) {
    const bytes = Buffer.from(signature, 'base64');
    const id = bytes.subarray(0, 4).toString('hex');
    const signer = known.find((verifier) => verifier.name === name && verifier.id === id);
    if (signer === undefined || signers.has(signer)) continue;
    if (!isSignedBy(signed, bytes.subarray(4), signer.publicKey))
      return { kind: 'refused', problem: `The signature of ${name}+${id} does not fit its text.` };
    signers.add(signer);
  }
  if (signers.size === 0) return { kind: 'refused', problem: unknownSigners(parts.signatures, known) };
  return { kind: 'opened', text: parts.text, signers: [...signers] };
}

function unknownSigners(signatures: readonly NoteSignature[], known: readonly NoteVerifier[]): string {
  const names = signatures.map(
    ({ name, signature }) => `${name}+${Buffer.from(signature, 'base64').toString('hex', 0, 4)}`,
  );
  const wanted = known.map(({ name, id }) => `${name}+${id}`);
  return `It is signed by ${names.join(' and ')}, not by ${wanted.join(' or ') || 'any known key'}.`;
}

function isSignedBy(text: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== signatureBytes) return false;
  const der = Buffer.concat([publicKeyHead, publicKey]);
  return verify(null, text, createPublicKey({ key: der, format: 'der', type: 'spki' }), signature);
}

/** Whole lines, no control characters but the line feed (signed-note, section Format). */
function isNoteText(text: string): boolean {
  return text.endsWith('\n') && text.isWellFormed() && !/(?!\n)\p{Cc}/u.test(text);
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Standard base64 with its padding, and no other spelling of the same bytes. */
export function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : null;
}

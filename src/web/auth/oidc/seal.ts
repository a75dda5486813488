/** Seals text with AES-256-GCM, so that it can be stored where others read and write, and tells whether it was changed. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Secret } from '../../../model/secret.ts';

export interface Seals {
  /** Binds the text to `place`: it does not open anywhere else. */
  seal(text: string, place: string): string;
  /** null: not sealed with one of the secrets, or not for this place. */
  open(sealed: string, place: string): string | null;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** @param purpose each purpose has its own keys. The first secret seals; all of them open. */
export function makeSeals(secrets: readonly [Secret, ...Secret[]], purpose: string): Seals {
  const keys = secrets.map((secret) => deriveKey(secret, purpose));
  const [newest] = keys;
  if (newest === undefined) throw new Error('There is no secret to seal with.');
  return {
    seal(text, place) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, newest, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceBytes + tagBytes) return null;
      for (const key of keys) {
        const text = openWith(key, bytes, place);
        if (text !== null) return text;
      }
      return null;
    },
  };
}

export function deriveKey(secret: Secret, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret.reveal(), '', purpose, 32));
}

function openWith(key: Uint8Array, bytes: Buffer, place: string): string | null {
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(place));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return null;
  }
}

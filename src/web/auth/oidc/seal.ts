/** Seals text with AES-256-GCM, so that it can be stored where others read and write, and tells whether it was changed. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Secret } from '../../../model/secret.ts';

export interface Seals {
  /** Binds the text to `place`: it does not open anywhere else. */
  seal(text: string, place: string): string;
  /** null: not sealed with one of the secrets, or not for this place. */
  open(sealed: string, place: string): string | null;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** One secret, or the list as of now: the first one seals, and all of them open. It may change while the process runs. */
export type SecretSource = Secret | (() => readonly Secret[]);

export function listSecrets(source: SecretSource): readonly Secret[] {
  return typeof source === 'function' ? source() : [source];
}

/** Until every replica has noticed a new secret, which may take a minute, each seals with the former one. */
const noticeMs = 120_000;
const mostFormer = 2;

/** The secret as it is now, and what it was since the start: what was sealed with a former one goes on. */
export function followSecret(
  secret: Secret,
  nowMs: () => number = () => performance.now(),
): () => readonly Secret[] {
  let known: readonly Secret[] = [new Secret(secret.reveal())];
  let changedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    const value = secret.reveal();
    if (known[0]?.reveal() !== value) {
      const others = known.filter((each) => each.reveal() !== value);
      known = [new Secret(value), ...others.slice(0, mostFormer)];
      changedAtMs = nowMs();
    }
    const [newest, former, ...older] = known;
    const isNoticed = nowMs() - changedAtMs >= noticeMs;
    return isNoticed || newest === undefined || former === undefined ? known : [former, newest, ...older];
  };
}

/** @param purpose each purpose has its own keys. */
export function makeSeals(source: SecretSource, purpose: string): Seals {
  const known = new WeakMap<Secret, Uint8Array>();
  const keyOf = (secret: Secret): Uint8Array => {
    const key = known.get(secret) ?? deriveKey(secret, purpose);
    known.set(secret, key);
    return key;
  };
  return {
    seal(text, place) {
      const [newest] = listSecrets(source);
      if (newest === undefined) throw new Error('There is no secret to seal with.');
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, keyOf(newest), nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(place));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceBytes + tagBytes) return null;
      for (const secret of listSecrets(source)) {
        const text = openWith(keyOf(secret), bytes, place);
        if (text !== null) return text;
      }
      return null;
    },
  };
}

function deriveKey(secret: Secret, purpose: string): Uint8Array {
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

/** The key that signs checkpoints: Ed25519 as PKCS#8 PEM (RFC 8410); two, one after the other, while it is being replaced. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { NoteSigner } from './note.ts';

/** A private key that signs and cannot be printed. */
export class LedgerKey {
  readonly #key: KeyObject;
  /** 32 bytes; not a secret. */
  readonly publicKey: Uint8Array;

  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  }

  /** The key under the name of one ledger. */
  signerFor(name: string): NoteSigner {
    return { name, publicKey: this.publicKey, sign: (text) => sign(null, text, this.#key) };
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

export type ParsedLedgerKeys =
  /** One key, or two that both sign. */
  | { readonly kind: 'keys'; readonly keys: readonly LedgerKey[] }
  /** The end of a sentence that begins with the setting's name; holds nothing of the value. */
  | { readonly kind: 'wrong'; readonly problem: string };

const blockPattern = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;
const way = 'make a key with `openssl genpkey -algorithm ed25519`';

/** Parses the value of LEDGER_KEY. */
export function parseLedgerKeys(pem: string): ParsedLedgerKeys {
  const blocks = [...pem.matchAll(blockPattern)];
  const begun = pem.split('-----BEGIN ').length - 1;
  if (begun === 0) return wrong(`must be a private key as PEM (PKCS#8), and holds none; ${way}`);
  if (blocks.length !== begun) return wrong('holds a PEM block that is cut off; give the whole file');
  if (blocks.length > 2)
    return wrong(`holds ${blocks.length} keys; give one, or two while you replace one by the other`);
  const keys: LedgerKey[] = [];
  for (const [block, label = ''] of blocks) {
    const key = parseBlock(block, label);
    if (typeof key === 'string') return wrong(key);
    if (keys.some(({ publicKey }) => Buffer.compare(publicKey, key.publicKey) === 0))
      return wrong('holds the same key twice; give it once');
    keys.push(key);
  }
  return { kind: 'keys', keys };
}

function parseBlock(block: string, label: string): LedgerKey | string {
  if (label === 'ENCRYPTED PRIVATE KEY')
    return 'holds a key under a passphrase; give it without (`openssl pkey -in FILE`)';
  if (label !== 'PRIVATE KEY') return `holds a PEM block "${label}" and must hold "PRIVATE KEY"; ${way}`;
  let key: KeyObject;
  try {
    key = createPrivateKey(block);
  } catch {
    return `holds a PEM block that is no private key; ${way}`;
  }
  if (key.asymmetricKeyType !== 'ed25519')
    return `holds a key for ${key.asymmetricKeyType ?? 'another algorithm'} and must hold one for ed25519; ${way}`;
  return new LedgerKey(key);
}

function wrong(problem: string): ParsedLedgerKeys {
  return { kind: 'wrong', problem };
}

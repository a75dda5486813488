/** The key with which the demo signs its ledgers, and its public half for whoever verifies. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../src/basics/errorCode.ts';

export interface LedgerKeyFiles {
  readonly key: string;
  readonly publicKey: string;
}

/** Made once for a folder, and kept: another key is nobody's whom anyone trusts. */
export async function provideLedgerKey(directory: string): Promise<LedgerKeyFiles> {
  const files = { key: join(directory, 'ledger.pem'), publicKey: join(directory, 'ledger-public.pem') };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
    publicKeyEncoding: { format: 'pem', type: 'spki' },
  });
  try {
    await writeFile(files.key, privateKey, { mode: 0o600, flag: 'wx' });
    await writeFile(files.publicKey, publicKey);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  return files;
}

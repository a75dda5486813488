/** Decodes a value of a Secret, as the API server sends it, to text. */
import { Secret } from '../../model/secret.ts';
import type { SecretRead } from '../destination/secretReader.ts';

export const forbiddenSecret: SecretRead = {
  kind: 'unreadable',
  message: 'may not be read by the collector: allow its ServiceAccount the verbs get and watch on it',
};

/** `encoded` is base64. */
export function decodeSecret(encoded: Secret): SecretRead {
  try {
    const bytes = Buffer.from(encoded.reveal(), 'base64');
    return { kind: 'found', value: new Secret(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { kind: 'unreadable', message: 'is not UTF-8 text' };
  }
}

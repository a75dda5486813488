/** Hashes everything that a request depends on: if the hash changes, a hold is worth another try at once. */
import { createHash } from 'node:crypto';
import type { Destination } from '../../model/exportConfig.ts';
import { Secret } from '../../model/secret.ts';

export function fingerprintDestination(destination: Omit<Destination, 'fingerprint'>): string {
  // JSON of a Secret is the same for all of them.
  const text = JSON.stringify(destination, function reveal(this: Record<string, unknown>, key, shown) {
    const value = this[key];
    return value instanceof Secret ? value.reveal() : shown;
  });
  return createHash('sha256').update(text).digest('hex');
}

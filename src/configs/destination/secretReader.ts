/** How a source hands out the contents of Secrets; the directory and the cluster each have their own. */
import type { Secret } from '../../model/secret.ts';

export type SecretRead =
  /** As stored, a trailing newline included. */
  | { readonly kind: 'found'; readonly value: Secret }
  | { readonly kind: 'secret-missing' }
  | { readonly kind: 'key-missing' }
  /** It is there, and cannot be used: not allowed, not text. `message` completes "Secret flows/acme …". */
  | { readonly kind: 'unreadable'; readonly message: string };

export interface SecretReader {
  /**
   * `name` and `key` have passed the schema: both are safe as path segments.
   *
   * @throws when it cannot be told (the API server does not answer): keep what you have, and try again.
   */
  read(namespace: string, name: string, key: string): Promise<SecretRead>;
}

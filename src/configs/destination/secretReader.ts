/** How a source reads Secrets; the directory and the cluster each have their own reader. */
import type { Secret } from '../../model/secret.ts';

export type SecretRead =
  /** As stored, a trailing newline included. `warning` completes "Secret flows/acme …": it is used now, but not for much longer. */
  | { readonly kind: 'found'; readonly value: Secret; readonly warning?: string }
  | { readonly kind: 'secret-missing' }
  | { readonly kind: 'key-missing' }
  /** It is there, and cannot be used: not allowed, not text. `message` completes "Secret flows/acme …". */
  | { readonly kind: 'unreadable'; readonly message: string }
  /** It does not consent to being used for that endpoint. `message` completes the same. */
  | { readonly kind: 'refused'; readonly message: string };

export interface SecretReader {
  /**
   * `name` and `key` have passed the schema: both are safe as path segments. `endpoint` is where the value is to go,
   * `config` the name of the config that sends it there.
   *
   * @throws when that cannot be known (the API server does not answer): keep what you have, and try again.
   */
  read(namespace: string, name: string, key: string, endpoint: URL, config?: string): Promise<SecretRead>;
  /** Whether the page saved a value in the Secret `name`: where it is gone, nobody has to look for a Secret. Absent: never. */
  isSavedOnPage?(name: string): boolean;
}

/** Everything that can be wrong with a referenced Secret, collected while a destination is resolved. */
import type { Secret } from '../../model/secret.ts';
import type { SecretRead } from './secretReader.ts';

/** Worst first: the reason of several problems is the first of these. */
export const secretReasons = [
  'SecretNotAllowed',
  'SecretNotFound',
  'SecretKeyNotFound',
  'InvalidSecret',
] as const;
export type SecretReason = (typeof secretReasons)[number];

export interface SecretProblem {
  readonly reason: SecretReason;
  /** One sentence naming namespace, Secret and key; never the value. */
  readonly sentence: string;
  readonly ref: SecretRef;
  /** The sentence without its subject: `is empty: put …`. */
  readonly complaint: string;
}

/** Reads one key of a Secret for one export. */
export interface BoundReader {
  read(namespace: string, name: string, key: string): Promise<SecretRead>;
}

export interface SecretRef {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  /** Path of the field that refers to it, such as `spec.headers[0]`. */
  readonly field: string;
}

export function invalidSecret(ref: SecretRef, complaint: string): SecretProblem {
  return {
    reason: 'InvalidSecret',
    sentence: `Secret ${ref.namespace}/${ref.name}, key ${ref.key} (${ref.field}) ${complaint}.`,
    ref,
    complaint,
  };
}

/** Reads one key; what is wrong goes into `problems`, and null comes back. */
export async function readSecret(
  reader: BoundReader,
  ref: SecretRef,
  problems: SecretProblem[],
): Promise<Secret | null> {
  const read = await reader.read(ref.namespace, ref.name, ref.key);
  const secret = `Secret ${ref.namespace}/${ref.name}`;
  switch (read.kind) {
    case 'found':
      return read.value;
    case 'secret-missing': {
      const complaint = `does not exist: create it with the key ${ref.key}, or correct ${ref.field}`;
      problems.push({ reason: 'SecretNotFound', sentence: `${secret} ${complaint}.`, ref, complaint });
      return null;
    }
    case 'key-missing': {
      const complaint = `has no key ${ref.key}: add it, or correct ${ref.field}`;
      problems.push({ reason: 'SecretKeyNotFound', sentence: `${secret} ${complaint}.`, ref, complaint });
      return null;
    }
    case 'refused':
      problems.push({
        reason: 'SecretNotAllowed',
        sentence: `${secret} (${ref.field}) ${read.message}.`,
        ref,
        complaint: read.message,
      });
      return null;
    case 'unreadable':
      problems.push(invalidSecret(ref, read.message));
      return null;
  }
}

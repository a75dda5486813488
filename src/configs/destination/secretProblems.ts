/** What can be wrong with a referenced Secret, collected while a destination is resolved. */
import type { Secret } from '../../model/secret.ts';
import { complain } from '../problems/problem.ts';
import type { Path } from '../problems/schemaWalk.ts';
import { showPath } from '../problems/showValue.ts';
import type { SecretRead } from './secretReader.ts';

/** Worst first: several problems have the first of these as their reason. */
export const secretReasons = [
  'SecretNotAllowed',
  'SecretNotFound',
  'SecretKeyNotFound',
  'InvalidSecret',
] as const;
export type SecretReason = (typeof secretReasons)[number];

export interface SecretProblem {
  readonly reason: SecretReason;
  readonly ref: SecretRef;
  /** What is wrong, or missing: the Secret as a whole, or its key. */
  readonly part: 'secret' | 'key';
  /** Completes a sentence that begins with that part: `is empty: put …`. Never the value. */
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
  /** The field that refers to it, such as `spec.headers[0]`. */
  readonly path: Path;
}

export function invalidSecret(ref: SecretRef, complaint: string): SecretProblem {
  return { reason: 'InvalidSecret', ref, part: 'key', complaint };
}

/** `Secret flows/acme`, or `Secret flows/acme, key token`. */
export function nameSecret({ ref, part }: SecretProblem): string {
  return `Secret ${ref.namespace}/${ref.name}${part === 'key' ? `, key ${ref.key}` : ''}`;
}

/** The sentence, as a manifest's author reads it. */
export function describeSecretProblem(problem: SecretProblem): string {
  return complain(`${nameSecret(problem)} (${showPath(problem.ref.path)})`, problem.complaint);
}

/** Reads one key; what is wrong goes into `problems`, and null comes back. */
export async function readSecret(
  reader: BoundReader,
  ref: SecretRef,
  problems: SecretProblem[],
): Promise<Secret | null> {
  const read = await reader.read(ref.namespace, ref.name, ref.key);
  const add = (reason: SecretReason, complaint: string): null => {
    problems.push({ reason, ref, part: 'secret', complaint });
    return null;
  };
  switch (read.kind) {
    case 'found':
      return read.value;
    case 'secret-missing':
      return add(
        'SecretNotFound',
        `does not exist: create it with the key ${ref.key}, or correct the reference`,
      );
    case 'key-missing':
      return add('SecretKeyNotFound', `has no key ${ref.key}: add it, or correct the reference`);
    case 'refused':
      return add('SecretNotAllowed', read.message);
    case 'unreadable':
      problems.push(invalidSecret(ref, read.message));
      return null;
  }
}

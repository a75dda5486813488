/** What can be wrong with a referenced Secret, collected while a destination is resolved. */
import type { Secret } from '../../model/secret.ts';
import { complain } from '../problems/problem.ts';
import type { Path } from '../problems/schemaWalk.ts';
import { showPath } from '../problems/showValue.ts';
import type { SecretReader } from './secretReader.ts';

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
  readonly namespace: string;
  readonly ref: SecretRef;
  /** What is wrong, or missing: the Secret as a whole, or its key. */
  readonly part: 'secret' | 'key';
  /** The page saved it there, and it is gone. */
  readonly isLostOnPage: boolean;
  /** Completes a sentence that begins with that part: `is empty: put …`. Never the value. */
  readonly complaint: string;
}

export interface SecretRef {
  readonly name: string;
  readonly key: string;
  /** The field that refers to it, such as `spec.headers[0]`. */
  readonly path: Path;
}

interface Complaint extends Pick<SecretProblem, 'complaint'> {
  readonly part?: SecretProblem['part'];
  readonly isLost?: boolean;
}

const enterAgain = 'the page saved the value there, so enter it again on the page';

/** `Secret flows/acme`, or `Secret flows/acme, key token`. */
export function nameSecret({ namespace, ref, part }: SecretProblem): string {
  return `Secret ${namespace}/${ref.name}${part === 'key' ? `, key ${ref.key}` : ''}`;
}

/** The sentence, as a manifest's author reads it. */
export function describeSecretProblem(problem: SecretProblem): string {
  return complain(`${nameSecret(problem)} (${showPath(problem.ref.path)})`, problem.complaint);
}

/** The Secrets that one manifest refers to, all in its own namespace: reads them, and collects everything that is wrong. */
export class ReferredSecrets {
  readonly problems: SecretProblem[] = [];
  /** One sentence for each Secret that is used although it does not consent yet. */
  readonly warnings = new Set<string>();
  readonly #reader: SecretReader;
  readonly #namespace: string;
  readonly #endpoint: URL;

  constructor(reader: SecretReader, namespace: string, endpoint: URL) {
    this.#reader = reader;
    this.#namespace = namespace;
    this.#endpoint = endpoint;
  }

  /** null: it cannot be used, and `problems` says why. @throws what the reader throws. */
  async read(ref: SecretRef): Promise<Secret | null> {
    const { name, key } = ref;
    const read = await this.#reader.read(this.#namespace, name, key, this.#endpoint);
    const isLost = this.#reader.isSavedOnPage?.(name) ?? false;
    switch (read.kind) {
      case 'found':
        if (read.warning !== undefined)
          this.warnings.add(`Secret ${this.#namespace}/${name} ${read.warning}.`);
        return read.value;
      case 'secret-missing':
        return this.#add('SecretNotFound', ref, {
          complaint: `does not exist: ${isLost ? enterAgain : `create it with the key ${key}, or correct the reference`}`,
          isLost,
        });
      case 'key-missing':
        return this.#add('SecretKeyNotFound', ref, {
          complaint: `has no key ${key}: ${isLost ? enterAgain : 'add it, or correct the reference'}`,
          isLost,
        });
      case 'refused':
        return this.#add('SecretNotAllowed', ref, { complaint: read.message });
      case 'unreadable':
        return this.refuse(ref, read.message);
    }
  }

  /** What was read cannot be used: `complaint` says why. */
  refuse(ref: SecretRef, complaint: string): null {
    return this.#add('InvalidSecret', ref, { complaint, part: 'key' });
  }

  #add(
    reason: SecretReason,
    ref: SecretRef,
    { complaint, part = 'secret', isLost = false }: Complaint,
  ): null {
    const namespace = this.#namespace;
    this.problems.push({ reason, namespace, ref, part, complaint, isLostOnPage: isLost });
    return null;
  }
}

/** A Secret as it was read last, and what a key of it is for an export. */

import { isMap } from '../../basics/isMap.ts';
import { Secret } from '../../model/secret.ts';
import type { SecretRead } from '../destination/secretReader.ts';
import { configKind } from '../schema.ts';
import { decodeSecret } from './decodeSecret.ts';
import { type KubeObject, readLabels, readObject } from './kubeObject.ts';
import { judgeConsent, type SecretFacts, type SecretPolicy } from './secretConsent.ts';

export interface PresentSecret {
  readonly facts: SecretFacts;
  /** By key, base64 as it came; null: it is larger than anything that is sent, and is not kept. */
  readonly data: ReadonlyMap<string, Secret | null>;
}

/** What was read last; it stays while it cannot be read. */
export type SecretContent =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'missing' }
  | ({ readonly kind: 'present' } & PresentSecret);

/** In base64: 384 KiB, more than every public certificate authority there is. */
const maxValueLength = 512 * 1024;

/** null for what is no Secret. */
export function readPresentSecret(value: unknown): PresentSecret | null {
  const object = readObject(value);
  return object === null ? null : toPresentSecret(object);
}

export function toPresentSecret(object: KubeObject): PresentSecret {
  const { namespace, name, annotations } = object.metadata;
  const type = typeof object.raw['type'] === 'string' ? object.raw['type'] : 'Opaque';
  const data = isMap(object.raw['data']) ? object.raw['data'] : {};
  const values = Object.entries(data).flatMap(([key, encoded]): Array<[string, Secret | null]> => {
    if (typeof encoded !== 'string') return [];
    return [[key, encoded.length > maxValueLength ? null : new Secret(encoded)]];
  });
  return {
    facts: { namespace, name, type, labels: readLabels(object), annotations, owners: readOwners(object) },
    data: new Map(values),
  };
}

/** Names of the configs that the object belongs to. */
function readOwners({ raw }: KubeObject): string[] {
  const { ownerReferences } = isMap(raw['metadata']) ? raw['metadata'] : {};
  return (Array.isArray(ownerReferences) ? ownerReferences : []).flatMap((owner: unknown) =>
    isMap(owner) && owner['kind'] === configKind && typeof owner['name'] === 'string' ? [owner['name']] : [],
  );
}

/** Consent first: who may not use it does not learn which keys it has. */
export function readSecretKey(
  { facts, data }: PresentSecret,
  key: string,
  endpoint: URL,
  policy: SecretPolicy,
  config?: string,
): SecretRead {
  const consent = judgeConsent(facts, endpoint, policy, config);
  if (consent.kind === 'refuses') return { kind: 'refused', message: consent.message };
  const encoded = data.get(key);
  if (encoded === undefined) return { kind: 'key-missing' };
  if (encoded === null)
    return { kind: 'unreadable', message: 'is larger than 384 KiB: put a smaller value into it' };
  const read = decodeSecret(encoded);
  return read.kind === 'found' && consent.kind === 'silent' ? { ...read, warning: consent.message } : read;
}

/** A Secret as it was last read, and what an export gets for a key of it. */
import { isMap } from '../../basics/isMap.ts';
import { Secret } from '../../model/secret.ts';
import type { SecretRead } from '../destination/secretReader.ts';
import { configKind } from '../schema.ts';
import { type KubeObject, listOwners, readLabels } from './kubeObject.ts';
import { judgeConsent, type SecretFacts, type SecretPolicy } from './secretConsent.ts';

export interface PresentSecret {
  readonly facts: SecretFacts;
  /** By key, in base64 as received; null: too large to be sent, so it is not kept. */
  readonly data: ReadonlyMap<string, Secret | null>;
}

/** What was last read; it stays while the Secret cannot be read. */
export type SecretContent =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'missing' }
  | ({ readonly kind: 'present' } & PresentSecret);

/** In base64: 384 KiB, more than every public certificate authority there is. */
const maxValueLength = 512 * 1024;

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
function readOwners(object: KubeObject): string[] {
  return listOwners(object).flatMap(({ kind, name }) =>
    kind === configKind && typeof name === 'string' ? [name] : [],
  );
}

/** Checks consent first: a config that may not use the Secret does not learn which keys it has. */
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

export const forbiddenSecret: SecretRead = {
  kind: 'unreadable',
  message: 'may not be read by the collector: allow its ServiceAccount the verbs get and watch on it',
};

/** `encoded` is base64. */
function decodeSecret(encoded: Secret): SecretRead {
  try {
    const bytes = Buffer.from(encoded.reveal(), 'base64');
    return { kind: 'found', value: new Secret(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return { kind: 'unreadable', message: 'is not UTF-8 text' };
  }
}

/**
 * Names the Secrets that the page writes for a config, and the keys in them.
 *
 * Every new value gets a new key (a client certificate, whose keys have fixed names, gets a new Secret). So the spec changes
 * whenever a value does, and switches from old to new in one step.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Secret } from '../../model/secret.ts';

/** It has to exist before a spec that refers to it. */
export interface PageSecret {
  readonly name: string;
  /** `tls`: of type kubernetes.io/tls, with nothing else in it. */
  readonly kind: 'values' | 'tls';
  readonly data: ReadonlyMap<string, Secret>;
}

export interface SecretKeyRef {
  readonly name: string;
  readonly key: string;
}

const suffix = '-audit-export';
/** Leaves room for `-tls-3f9c2a` in the 253 characters of a name. */
const maxBaseLength = 240;

/** Holds the values of headers, and the CA. */
export function pageSecretName(configName: string): string {
  const name = configName + suffix;
  if (name.length <= maxBaseLength) return name;
  const hash = createHash('sha256').update(configName).digest('hex').slice(0, 8);
  const start = configName.slice(0, maxBaseLength - suffix.length - 10).replace(/[^a-z0-9]+$/, '');
  return `${start}-${hash}${suffix}`;
}

export function makeClientCertSecretName(configName: string): string {
  return `${pageSecretName(configName)}-tls-${makeMark()}`;
}

/** Whether a Secret of this name is the page's own for that config. */
export function isPageSecretName(configName: string, secretName: string): boolean {
  const base = pageSecretName(configName);
  return (
    secretName === base ||
    (secretName.startsWith(`${base}-tls-`) && /^[0-9a-f]{6}$/.test(secretName.slice(-6)))
  );
}

/** `Authorization` → `authorization-3f9c2a`. */
export function makeHeaderKey(headerName: string): string {
  const slug = headerName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 60);
  return `${slug === '' ? 'header' : slug}-${makeMark()}`;
}

export function makeCaKey(): string {
  return `ca-${makeMark()}.crt`;
}

/** Random, not a hash of the value: a hash would let people test guesses. */
function makeMark(): string {
  return randomBytes(3).toString('hex');
}

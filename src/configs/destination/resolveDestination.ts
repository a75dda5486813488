/** Turns a valid spec into all that a request needs: the address, header values, TLS material. */

import { createHash } from 'node:crypto';
import type { Destination } from '../../model/exportConfig.ts';
import { Secret } from '../../model/secret.ts';
import type { ManifestSpec } from '../schema.ts';
import { resolveHeaders } from './resolveHeaders.ts';
import { resolveTls } from './resolveTls.ts';
import {
  describeSecretProblem,
  ReferredSecrets,
  type SecretProblem,
  type SecretReason,
  secretReasons,
} from './secretProblems.ts';
import type { SecretReader } from './secretReader.ts';

export type ResolvedDestination =
  | Resolved
  /** One sentence for each Secret or key that is missing or wrong; none repeats a value. */
  | { readonly kind: 'unresolved'; readonly reason: SecretReason; readonly problems: readonly string[] };

export type FoundDestination =
  | Resolved
  | { readonly kind: 'unresolved'; readonly problems: readonly SecretProblem[] };

interface Resolved {
  readonly kind: 'resolved';
  readonly destination: Destination;
  /** One sentence for each Secret that is used although it does not consent yet. */
  readonly warnings: readonly string[];
}

/**
 * `namespace` is the manifest's: references never leave it.
 *
 * @throws what `secrets.read` throws: keep what you have, and try again.
 */
export async function resolveDestination(
  spec: ManifestSpec,
  namespace: string,
  secrets: SecretReader,
  addresses?: Destination['addresses'],
): Promise<ResolvedDestination> {
  const found = await findDestination(spec, namespace, secrets, addresses);
  if (found.kind === 'resolved') return found;
  const reason = secretReasons.find((each) => found.problems.some((problem) => problem.reason === each));
  const problems = found.problems.map(describeSecretProblem);
  return { kind: 'unresolved', reason: reason ?? 'InvalidSecret', problems };
}

/** The same, with the field that each problem is about. */
export async function findDestination(
  spec: ManifestSpec,
  namespace: string,
  secrets: SecretReader,
  addresses?: Destination['addresses'],
): Promise<FoundDestination> {
  const url = resolveEndpoint(spec.endpoint);
  const referred = new ReferredSecrets(secrets, namespace, url);
  const headers = await resolveHeaders(spec.headers, referred);
  const tls = await resolveTls(spec.tls, referred);
  const { problems, warnings } = referred;
  if (problems.length > 0) return { kind: 'unresolved', problems };
  const destination = {
    url,
    headers,
    compression: spec.compression,
    timeoutMs: spec.timeoutSeconds * 1000,
    tls,
    ...(addresses === undefined ? {} : { addresses }),
  };
  return {
    kind: 'resolved',
    destination: { ...destination, fingerprint: fingerprintDestination(destination) },
    warnings: [...warnings],
  };
}

/**
 * The address requests are posted to. A base without a path gets `/v1/logs` (OTLP exporter specification, "Endpoint
 * URLs for OTLP/HTTP"); a path is used as it is, because receivers behind a gateway have their own. The query is kept.
 *
 * `endpoint` has passed the schema.
 */
export function resolveEndpoint(endpoint: string): URL {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/logs';
  return url;
}

function fingerprintDestination(destination: Omit<Destination, 'fingerprint'>): string {
  // JSON of a Secret is the same for all of them.
  const text = JSON.stringify(destination, function reveal(this: Record<string, unknown>, key, shown) {
    const value = this[key];
    return value instanceof Secret ? value.reveal() : shown;
  });
  return createHash('sha256').update(text).digest('hex');
}

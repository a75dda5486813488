/** A spec as the audit entry of a change may tell it: each field by itself, and of what is secret only whether it is another one. */
import { createHash } from 'node:crypto';
import type { ManifestSpec } from './schema.ts';

/**
 * By field, as the page names them. A name that ends in `(value)` or `(query)` stands for something that is not shown: its value
 * here is a hash.
 */
export function showSpec(spec: ManifestSpec): Readonly<Record<string, unknown>> {
  const { filter, tls } = spec;
  const [endpoint = '', query] = spec.endpoint.split('?', 2);
  const hash = (value: unknown): string =>
    createHash('sha256')
      .update(JSON.stringify([spec.organization, value]))
      .digest('hex')
      .slice(0, 32);
  return {
    endpoint,
    ...(query === undefined ? {} : { 'endpoint (query)': hash(query) }),
    headers: spec.headers.map(({ name }) => name),
    ...Object.fromEntries(
      spec.headers.map(({ name, value, valueFrom }) => [`headers.${name} (value)`, hash(valueFrom ?? value)]),
    ),
    maxBatchSize: spec.maxBatchSize,
    startFrom: spec.startFrom,
    suspend: spec.suspend,
    compression: spec.compression,
    timeoutSeconds: spec.timeoutSeconds,
    'filter.eventTypes': filter?.eventTypes ?? [],
    'filter.excludeEventTypes': filter?.excludeEventTypes ?? [],
    'filter.projects': filter?.projects ?? [],
    'tls.ca': tls?.caSecretRef !== undefined,
    ...(tls?.caSecretRef && { 'tls.ca (value)': hash(tls.caSecretRef) }),
    'tls.clientCert': tls?.clientCertSecretRef !== undefined,
    ...(tls?.clientCertSecretRef && { 'tls.clientCert (value)': hash(tls.clientCertSecretRef) }),
    'tls.serverName': tls?.serverName ?? '',
    'tls.insecureSkipVerify': tls?.insecureSkipVerify ?? false,
  };
}

/** Lists the Secrets a manifest refers to; all are in its own namespace. */
import type { ManifestSpec } from '../schema.ts';

/** Names, each once. */
export function listSecretNames(spec: ManifestSpec): string[] {
  const names = [
    ...spec.headers.map(({ valueFrom }) => valueFrom?.secretKeyRef.name),
    spec.tls?.caSecretRef?.name,
    spec.tls?.clientCertSecretRef?.name,
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}

/** Hashes everything that a request depends on: if the hash changes, a hold is worth another try at once. */
import { createHash } from 'node:crypto';
import type { Destination } from '../../model/exportConfig.ts';

export function fingerprintDestination(destination: Omit<Destination, 'fingerprint'>): string {
  const { url, headers, compression, timeoutMs, tls, addresses } = destination;
  // Lists with fixed positions: no two destinations have the same text.
  const parts = [
    url.href,
    headers.map(({ name, value }) => [name, value.reveal()]),
    compression,
    timeoutMs,
    [
      tls.ca ?? null,
      tls.clientCert === undefined ? null : [tls.clientCert.cert, tls.clientCert.key.reveal()],
      tls.serverName ?? null,
      tls.insecureSkipVerify,
    ],
    ...(addresses === undefined ? [] : [addresses]),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

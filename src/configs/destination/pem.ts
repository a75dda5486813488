/** Checks PEM before a connection needs it, so that a bad file is a sentence in the status and not a TLS error an hour later. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly complaint: string };

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Each certificate of a bundle or chain, in order; at least one. A complaint completes "Secret flows/acme, key ca.crt …". */
export function parseCertificates(pem: string): Parsed<X509Certificate[]> {
  const blocks = pem.match(certificate) ?? [];
  if (blocks.length === 0) {
    return { ok: false, complaint: 'has no certificate: put PEM with "BEGIN CERTIFICATE" into it' };
  }
  const certificates: X509Certificate[] = [];
  for (const [index, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      const which = blocks.length === 1 ? 'a certificate' : `certificate ${index + 1} of ${blocks.length}`;
      return { ok: false, complaint: `has ${which} that cannot be read: copy the PEM again, whole` };
    }
  }
  return { ok: true, value: certificates };
}

export function parsePrivateKey(pem: string): Parsed<KeyObject> {
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    return { ok: false, complaint: 'is an encrypted key: store it without a passphrase' };
  }
  try {
    return { ok: true, value: createPrivateKey(pem) };
  } catch {
    return { ok: false, complaint: 'is not a private key that can be read: put a PEM key into it, whole' };
  }
}

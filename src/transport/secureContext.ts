/** Turns the TLS options of a destination into what sockets use, and says which of them is unreadable. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { errorCode } from '../basics/errorCode.ts';
import type { TlsOptions } from '../model/exportConfig.ts';

export type SecureContextResult =
  | { readonly kind: 'made'; readonly context: SecureContext }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Reads the PEM texts. `message` is a sentence for people and contains nothing of the texts themselves. */
export function makeSecureContext(tls: TlsOptions): SecureContextResult {
  // createSecureContext silently accepts text without a certificate, and then trusts no one.
  if (tls.ca !== undefined && !isCertificate(tls.ca)) {
    return { kind: 'unreadable', message: 'The CA certificate of tls.caSecretRef is not a PEM certificate.' };
  }
  if (tls.clientCert && !isCertificate(tls.clientCert.cert)) {
    return {
      kind: 'unreadable',
      message: 'The client certificate of tls.clientCertSecretRef is not a PEM certificate.',
    };
  }
  try {
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.clientCert && { cert: tls.clientCert.cert, key: tls.clientCert.key.reveal() }),
    });
    return { kind: 'made', context };
  } catch (error) {
    const code = errorCode(error) || 'unknown';
    return {
      kind: 'unreadable',
      message: `The client certificate and key of tls.clientCertSecretRef cannot be used together (${code}): the key must be an unencrypted PEM key that belongs to the certificate.`,
    };
  }
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

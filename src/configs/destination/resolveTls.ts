/** Reads and checks TLS material from the Secrets that `spec.tls` names. */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TlsOptions } from '../../model/exportConfig.ts';
import type { Secret } from '../../model/secret.ts';
import { tlsSchema } from '../schema/tls.ts';
import type { ManifestSpec } from '../schema.ts';
import type { ReferredSecrets } from './secretProblems.ts';

type TlsSpec = NonNullable<ManifestSpec['tls']>;

/** Reads every reference, so that `secrets` collects everything that is wrong at once. */
export async function resolveTls(given: TlsSpec | undefined, secrets: ReferredSecrets): Promise<TlsOptions> {
  const tls = given ?? tlsSchema.unwrap().parse({});
  const ca = await resolveCa(tls.caSecretRef, secrets);
  const clientCert = await resolveClientCert(tls.clientCertSecretRef, secrets);
  return {
    ...(ca === null ? {} : { ca }),
    ...(clientCert === null ? {} : { clientCert }),
    ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    insecureSkipVerify: tls.insecureSkipVerify,
  };
}

async function resolveCa(from: TlsSpec['caSecretRef'], secrets: ReferredSecrets): Promise<string | null> {
  if (from === undefined) return null;
  const ref = { ...from, path: ['spec', 'tls', 'caSecretRef'] };
  const pem = (await secrets.read(ref))?.reveal();
  if (pem === undefined) return null;
  const parsed = parseCertificates(pem);
  return parsed.ok ? pem : secrets.refuse(ref, parsed.complaint);
}

async function resolveClientCert(
  from: TlsSpec['clientCertSecretRef'],
  secrets: ReferredSecrets,
): Promise<{ cert: string; key: Secret } | null> {
  if (from === undefined) return null;
  const ref = { name: from.name, path: ['spec', 'tls', 'clientCertSecretRef'] };
  const certRef = { ...ref, key: 'tls.crt' };
  const keyRef = { ...ref, key: 'tls.key' };
  const cert = (await secrets.read(certRef))?.reveal();
  const key = await secrets.read(keyRef);
  const chain = cert === undefined ? undefined : parseCertificates(cert);
  const privateKey = key === null ? undefined : parsePrivateKey(key.reveal());
  if (chain?.ok === false) secrets.refuse(certRef, chain.complaint);
  if (privateKey?.ok === false) secrets.refuse(keyRef, privateKey.complaint);
  if (cert === undefined || key === null || !chain?.ok || !privateKey?.ok) return null;
  if (chain.value[0]?.checkPrivateKey(privateKey.value) === true) return { cert, key };
  const complaint = 'does not belong to the first certificate in tls.crt: store the pair that does';
  return secrets.refuse(keyRef, complaint);
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly complaint: string };

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Each certificate of a bundle or chain, in order; at least one. A complaint completes "Secret flows/acme, key ca.crt …". */
function parseCertificates(pem: string): Parsed<X509Certificate[]> {
  const blocks = pem.match(certificate) ?? [];
  if (blocks.length === 0) {
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
      return {
        ok: false,
        complaint: 'is a private key, not a certificate: put PEM with "BEGIN CERTIFICATE" into it',
      };
    }
    if (pem.includes('-----BEGIN CERTIFICATE-----')) {
      return { ok: false, complaint: 'has a certificate without its end: copy the PEM again, whole' };
    }
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

function parsePrivateKey(pem: string): Parsed<KeyObject> {
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    return { ok: false, complaint: 'is an encrypted key: store it without a passphrase' };
  }
  try {
    return { ok: true, value: createPrivateKey(pem) };
  } catch {
    return { ok: false, complaint: 'is not a private key that can be read: put a PEM key into it, whole' };
  }
}

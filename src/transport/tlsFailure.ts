/**
 * Sentences for TLS failures: what is wrong, and which setting or which side can fix it.
 */

const untrusted =
  'its certificate is signed by an authority this collector does not trust: give that authority as Certificate authority (tls.caSecretRef)';
const clientCertificateWanted =
  'it asks for a client certificate it accepts: give one as Client certificate (tls.clientCertSecretRef)';
const anotherName =
  'its certificate is for another name: use that name in the endpoint, or as Server name (tls.serverName)';
const notTls = 'it does not speak TLS on this port: use http:// in the endpoint, or another port';
const noCommonVersion = 'it offers no TLS version or cipher this collector accepts (TLS 1.2 or later)';

/** Codes of certificate verification (Node, X509) and of OpenSSL. */
const sentences: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate, or one it depends on, has expired: renew it there',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: check the clocks of both sides',
  CERT_REVOKED: 'its certificate is revoked: renew it there',
  ERR_TLS_CERT_ALTNAME_INVALID: anotherName,
  HOSTNAME_MISMATCH: anotherName,
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed: give that certificate as Certificate authority (tls.caSecretRef)',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_SIGNATURE_FAILURE:
    'the signature of its certificate is wrong: is the Certificate authority (tls.caSecretRef) an older one of the same name?',
  INVALID_PURPOSE: 'its certificate is not meant for servers',
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_SSL_HTTP_REQUEST: notTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: noCommonVersion,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: noCommonVersion,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: `${noCommonVersion}, or ${clientCertificateWanted}`,
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': `${noCommonVersion}, or ${clientCertificateWanted}`,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: clientCertificateWanted,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: clientCertificateWanted,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: clientCertificateWanted,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    'the client certificate (tls.clientCertSecretRef) has expired: renew it',
  ERR_SSL_TLSV1_UNRECOGNIZED_NAME: 'it does not know the name asked for: set Server name (tls.serverName)',
};

/** X509 verification codes share no prefix; these are the families that occur besides those above. */
const tlsFamilies =
  /^(?:ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$|CERT_|CRL_|UNABLE_TO_|INVALID_CA$|PATH_LENGTH_EXCEEDED$|EE_KEY_TOO_SMALL$|CA_)/;

/** One sentence that contains the code, or null if it is not a TLS code. */
export function describeTlsFailure(code: string, host: string): string | null {
  const sentence = sentences[code];
  if (sentence !== undefined) return `The TLS handshake with ${host} failed: ${sentence} (${code}).`;
  return tlsFamilies.test(code) ? `The TLS handshake with ${host} failed (${code}).` : null;
}

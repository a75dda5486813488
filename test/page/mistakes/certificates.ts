/** Mistakes about certificates. */
import { makeCertificateAuthority } from '../../tools/certificates.ts';
import { serveHttps } from '../../transport/loopback.ts';
import { httpsOf, type Mistake, receiveTls } from './servers.ts';

export const certificates: readonly Mistake[] = [
  {
    what: 'an authority that nobody named',
    type: async () => httpsOf((await receiveTls()).host),
    says: /does not trust CN=Test authority.*Compare the fingerprint.*paste the certificate of that authority/,
  },
  {
    what: 'another authority than the one that is named',
    type: async () => ({
      ...httpsOf((await receiveTls()).host),
      'tls.caSecretRef': makeCertificateAuthority('Old authority').cert,
    }),
    says: /does not trust CN=Test authority.*Certificate authority under TLS holds another one/,
  },
  {
    what: 'a self-signed certificate',
    type: async () => {
      const own = makeCertificateAuthority('receiver');
      const { port } = await serveHttps(own, (_request, response) => void response.end());
      return { endpoint: `https://127.0.0.1:${port}`, 'tls.serverName': 'receiver' };
    },
    says: /The certificate is self-signed\. Compare the fingerprint.*paste that certificate \(PEM\)/,
  },
  {
    what: 'a certificate for another name',
    type: async () => {
      const { host, ca } = await receiveTls(['otel.example.com']);
      return { endpoint: `https://${host}`, ...ca };
    },
    says: /not for 127\.0\.0\.1, but for otel\.example\.com.*only if the operator of the receiver confirms that name/,
    button: /^Trust the name otel\.example\.com and test$/,
  },
  {
    what: 'a certificate that expired',
    type: async () => httpsOf((await receiveTls(['127.0.0.1'], -1)).host),
    says: /The certificate expired on \d{4}-\d\d-\d\d\. The operator of the receiver must renew it/,
  },
  {
    what: 'a private key as the authority',
    type: async () => {
      const { host, authority } = await receiveTls();
      return { endpoint: `https://${host}`, 'tls.caSecretRef': authority.key };
    },
    says: /Certificate authority.* is a private key, not a certificate/,
  },
  {
    what: 'the first half of the authority',
    type: async () => {
      const { host, authority } = await receiveTls();
      return { endpoint: `https://${host}`, 'tls.caSecretRef': authority.cert.slice(0, 200) };
    },
    says: /Certificate authority.* has a certificate without its end: copy the PEM again, whole/,
  },
  {
    what: 'an authority with a line missing',
    type: async () => {
      const { host, authority } = await receiveTls();
      const lines = authority.cert.split('\n');
      return { endpoint: `https://${host}`, 'tls.caSecretRef': lines.toSpliced(2, 1).join('\n') };
    },
    says: /Certificate authority.* has a certificate that cannot be read: copy the PEM again, whole/,
  },
  {
    what: 'an authority with the line ends of Windows',
    type: async () => {
      const { host, authority } = await receiveTls();
      return { endpoint: `https://${host}`, 'tls.caSecretRef': authority.cert.replaceAll('\n', '\r\n') };
    },
    says: /took the test record/,
    isRepaired: true,
  },
  {
    what: 'no client certificate, and the receiver asks for one',
    type: async () => {
      const authority = makeCertificateAuthority();
      const options = { ...authority.issue(['127.0.0.1']), ca: authority.cert, requestCert: true };
      const { port } = await serveHttps(options, (_request, response) => void response.end());
      return { endpoint: `https://127.0.0.1:${port}`, 'tls.caSecretRef': authority.cert };
    },
    // Its own certificate is as it should be, and nothing else is said of it.
    says: /asks for a client certificate it accepts.* Change what the message names/,
  },
];

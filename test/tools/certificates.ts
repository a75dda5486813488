/**
 * Makes X.509 certificates (RFC 5280) for tests with node:crypto alone, so that no key lies in the repository and a
 * test can ask for one that is expired, for another name or by another authority.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface CertificateAuthority extends Certificate {
  /** Signs one for these DNS names and addresses; valid from yesterday to tomorrow if nothing else is said. */
  issue(names: readonly string[], validity?: Validity): Certificate;
}

interface Validity {
  readonly from: Date;
  readonly to: Date;
}

const dayMs = 24 * 3_600_000;

export function makeCertificateAuthority(commonName = 'Test authority'): CertificateAuthority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = makeCertificate({
    subject: commonName,
    issuer: commonName,
    publicKey,
    signingKey: privateKey,
    extensions: [extension(oid.basicConstraints, sequence(boolean(true)))],
  });
  return {
    cert,
    key: exportKey(privateKey),
    issue: (names, validity) => {
      const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const issued = makeCertificate({
        subject: names[0] ?? 'nobody',
        issuer: commonName,
        publicKey: leaf.publicKey,
        signingKey: privateKey,
        extensions: [extension(oid.subjectAltName, sequence(...names.map(generalName)))],
        ...(validity && { validity }),
      });
      return { cert: issued, key: exportKey(leaf.privateKey) };
    },
  };
}

interface CertificateParts {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly validity?: Validity;
}

function makeCertificate(parts: CertificateParts): string {
  const { from, to } = parts.validity ?? {
    from: new Date(Date.now() - dayMs),
    to: new Date(Date.now() + dayMs),
  };
  const algorithm = sequence(objectIdentifier(oid.ecdsaWithSha256));
  const toBeSigned = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])), // serial number
    algorithm,
    name(parts.issuer),
    sequence(time(from), time(to)),
    name(parts.subject),
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', toBeSigned, parts.signingKey);
  const der = sequence(toBeSigned, algorithm, tagged(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Encoded contents of object identifiers. */
const oid = {
  ecdsaWithSha256: Buffer.from('2a8648ce3d040302', 'hex'),
  commonName: Buffer.from('550403', 'hex'),
  basicConstraints: Buffer.from('551d13', 'hex'),
  subjectAltName: Buffer.from('551d11', 'hex'),
} as const;

/** DER: tag, length, content. Contents here stay below 64 KiB. */
function tagged(tag: number, content: Buffer): Buffer {
  const size = content.length;
  const length =
    size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, Math.floor(size / 0x100), size % 0x100];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function objectIdentifier(content: Buffer): Buffer {
  return tagged(0x06, content);
}

function boolean(value: boolean): Buffer {
  return tagged(0x01, Buffer.from([value ? 0xff : 0]));
}

function name(commonName: string): Buffer {
  return sequence(
    tagged(0x31, sequence(objectIdentifier(oid.commonName), tagged(0x0c, Buffer.from(commonName)))),
  );
}

/** GeneralizedTime: YYYYMMDDHHMMSSZ. */
function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return tagged(0x18, Buffer.from(text));
}

function extension(id: Buffer, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), boolean(true), tagged(0x04, value));
}

function generalName(text: string): Buffer {
  if (isIP(text) === 4) return tagged(0x87, Buffer.from(text.split('.').map(Number)));
  if (isIP(text) === 6) return tagged(0x87, addressBytes(text));
  return tagged(0x82, Buffer.from(text));
}

/** The 16 bytes of an IPv6 address, which may have one `::`. */
function addressBytes(text: string): Buffer {
  const [before = '', after] = text.split('::');
  const groups = (part: string) => part.split(':').filter(Boolean);
  const [head, tail] = [groups(before), groups(after ?? '')];
  const all = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** From a spec and its Secrets to a destination, or to a sentence for each Secret that is missing or wrong. */
import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { resolveDestination } from '../../src/configs/destination/resolveDestination.ts';
import type { SecretRead, SecretReader } from '../../src/configs/destination/secretReader.ts';
import { parseManifest } from '../../src/configs/parseManifest.ts';
import type { ManifestSpec } from '../../src/configs/schema.ts';
import type { Destination } from '../../src/model/exportConfig.ts';
import { Secret } from '../../src/model/secret.ts';
import { type CertificateAuthority, makeCertificateAuthority } from '../tools/certificates.ts';

type Certificate = ReturnType<CertificateAuthority['issue']>;
type Secrets = Record<string, Record<string, string | SecretRead>>;

/** Secrets of the namespace `flows`. */
function readerOf(secrets: Secrets): SecretReader {
  return {
    read: async (namespace, name, key) => {
      const data = namespace === 'flows' ? secrets[name] : undefined;
      if (data === undefined) return { kind: 'secret-missing' };
      const value = data[key];
      if (value === undefined) return { kind: 'key-missing' };
      return typeof value === 'string' ? { kind: 'found', value: new Secret(value) } : value;
    },
  };
}

function specOf(spec: Record<string, unknown>): ManifestSpec {
  const parsed = parseManifest({
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'acme' },
    spec: { organization: 'acme', endpoint: 'https://otel.example.com', ...spec },
  });
  if (!parsed.ok) throw new Error(parsed.problems.join(' '));
  return parsed.manifest.spec;
}

async function resolve(spec: Record<string, unknown>, secrets: Secrets = {}) {
  return resolveDestination(specOf(spec), 'flows', readerOf(secrets));
}

async function destinationOf(spec: Record<string, unknown>, secrets: Secrets = {}): Promise<Destination> {
  const resolved = await resolve(spec, secrets);
  if (resolved.kind !== 'resolved') throw new Error(resolved.problems.join(' '));
  return resolved.destination;
}

function headerFrom(name: string, key: string): Record<string, unknown> {
  return { headers: [{ name: 'Authorization', valueFrom: { secretKeyRef: { name, key } } }] };
}

describe('the endpoint', () => {
  it.each([
    ['https://otel.example.com:4318', 'https://otel.example.com:4318/v1/logs'],
    ['https://otel.example.com:4318/', 'https://otel.example.com:4318/v1/logs'],
    ['https://otel.example.com?tenant=a%20b', 'https://otel.example.com/v1/logs?tenant=a%20b'],
    ['https://otel.example.com/otlp', 'https://otel.example.com/otlp'],
    ['https://otel.example.com/otlp/', 'https://otel.example.com/otlp/'],
    ['https://otel.example.com/api/v1/logs?k=v', 'https://otel.example.com/api/v1/logs?k=v'],
    ['http://[::1]:4318', 'http://[::1]:4318/v1/logs'],
  ])('%s is posted to as %s', async (endpoint, url) => {
    expect((await destinationOf({ endpoint })).url.href).toBe(url);
  });
});

describe('a header from a Secret', () => {
  it.each([
    ['as it is', 'Bearer x', 'Bearer x'],
    ['without the newline a file ends in', 'Bearer x\n', 'Bearer x'],
    ['without the newline of a Windows file', 'Bearer x\r\n', 'Bearer x'],
  ])('is sent %s', async (_, stored, sent) => {
    const { headers } = await destinationOf(headerFrom('siem', 'auth'), { siem: { auth: stored } });
    expect(headers.map(({ name, value }) => [name, value.reveal()])).toEqual([['Authorization', sent]]);
  });

  const secret = 'Secret flows/siem, key auth (spec.headers[0])';
  it.each<[string, string | SecretRead, string]>([
    ['two newlines', 's3cr3t\n\n', `${secret} has a line break inside: a header is one line, so remove it.`],
    ['a line break', 's3c\nr3t', `${secret} has a line break inside: a header is one line, so remove it.`],
    [
      'a control character',
      's3cr3t\u0000',
      `${secret} has a character that cannot be sent: only printable ASCII characters can stand in a header.`,
    ],
    [
      'a letter outside ASCII',
      's3cr3tä',
      `${secret} has a character that cannot be sent: only printable ASCII characters can stand in a header.`,
    ],
    ['nothing', '\n', `${secret} is empty: put the value of the header into it.`],
    [
      'too much',
      's3cr3t'.repeat(4000),
      `${secret} is 24000 characters long: a header's value can have 16384.`,
    ],
    ['no text', { kind: 'unreadable', message: 'is not UTF-8 text' }, `${secret} is not UTF-8 text.`],
  ])('with %s is refused, and not repeated', async (_, value, sentence) => {
    const resolved = await resolve(headerFrom('siem', 'auth'), { siem: { auth: value } });
    expect(resolved).toEqual({ kind: 'unresolved', reason: 'InvalidSecret', problems: [sentence] });
    expect(JSON.stringify(resolved)).not.toContain('s3c');
  });

  it('that does not exist is named', async () => {
    expect(await resolve(headerFrom('siem', 'auth'))).toEqual({
      kind: 'unresolved',
      reason: 'SecretNotFound',
      problems: [
        'Secret flows/siem (spec.headers[0]) does not exist: create it with the key auth, or correct the reference.',
      ],
    });
    expect(await resolve(headerFrom('siem', 'auth'), { siem: {} })).toEqual({
      kind: 'unresolved',
      reason: 'SecretKeyNotFound',
      problems: ['Secret flows/siem (spec.headers[0]) has no key auth: add it, or correct the reference.'],
    });
  });

  it('is found wrong together with all others, under the reason that comes first', async () => {
    const spec = {
      headers: ['bad', 'no-key', 'none'].map((name) => ({
        name: `x-${name}`,
        valueFrom: { secretKeyRef: { name, key: 'k' } },
      })),
      tls: { caSecretRef: { name: 'none' } },
    };
    expect(await resolve(spec, { bad: { k: '' }, 'no-key': {} })).toMatchObject({
      reason: 'SecretNotFound',
      problems: [
        expect.stringContaining('flows/bad'),
        expect.stringContaining('flows/no-key'),
        expect.stringContaining('flows/none'),
        expect.stringContaining('flows/none'),
      ],
    });
  });

  it('that cannot be asked for now makes the call fail, so that nothing is concluded', async () => {
    const failing: SecretReader = { read: () => Promise.reject(new Error('no answer')) };
    await expect(resolveDestination(specOf(headerFrom('a', 'b')), 'flows', failing)).rejects.toThrow(
      'no answer',
    );
  });
});

describe('TLS material', () => {
  let authority: CertificateAuthority;
  let client: Certificate;
  let other: Certificate;
  beforeAll(() => {
    authority = makeCertificateAuthority();
    client = authority.issue(['client']);
    other = authority.issue(['other']);
  });

  const spec = {
    tls: {
      caSecretRef: { name: 'ca' },
      clientCertSecretRef: { name: 'client' },
      serverName: 'otel.internal',
      insecureSkipVerify: true,
    },
  };

  it('is read from the keys of a kubernetes.io/tls Secret and ca.crt', async () => {
    const secrets = {
      ca: { 'ca.crt': `# two\n${authority.cert}${other.cert}` },
      client: { 'tls.crt': client.cert + authority.cert, 'tls.key': client.key },
    };
    const { tls } = await destinationOf(spec, secrets);
    expect(tls).toMatchObject({
      ca: secrets.ca['ca.crt'],
      serverName: 'otel.internal',
      insecureSkipVerify: true,
      clientCert: { cert: secrets.client['tls.crt'] },
    });
    expect(tls.clientCert?.key.reveal()).toBe(client.key);
  });

  it('is absent when not asked for', async () => {
    expect((await destinationOf({})).tls).toEqual({ insecureSkipVerify: false });
  });

  const caKey = 'Secret flows/ca, key ca.crt (spec.tls.caSecretRef)';
  const crtKey = 'Secret flows/client, key tls.crt (spec.tls.clientCertSecretRef)';
  const keyKey = 'Secret flows/client, key tls.key (spec.tls.clientCertSecretRef)';
  it.each<[string, () => Secrets, string]>([
    [
      'text',
      () => ({ ca: { 'ca.crt': 'not PEM' } }),
      `${caKey} has no certificate: put PEM with "BEGIN CERTIFICATE" into it.`,
    ],
    [
      'a key',
      () => ({ ca: { 'ca.crt': client.key } }),
      `${caKey} is a private key, not a certificate: put PEM with "BEGIN CERTIFICATE" into it.`,
    ],
    [
      'a damaged certificate',
      () => ({ ca: { 'ca.crt': authority.cert.replace(/\n.{64}\n/, '\n') } }),
      `${caKey} has a certificate that cannot be read: copy the PEM again, whole.`,
    ],
    [
      'a bundle with one damaged certificate',
      () => ({ ca: { 'ca.crt': authority.cert + other.cert.replace(/\n.{64}\n/, '\n') } }),
      `${caKey} has certificate 2 of 2 that cannot be read: copy the PEM again, whole.`,
    ],
    [
      'no client certificate',
      () => ({ client: { 'tls.crt': '', 'tls.key': client.key } }),
      `${crtKey} has no certificate: put PEM with "BEGIN CERTIFICATE" into it.`,
    ],
    [
      'no client key',
      () => ({ client: { 'tls.crt': client.cert, 'tls.key': client.cert } }),
      `${keyKey} is not a private key that can be read: put a PEM key into it, whole.`,
    ],
    [
      'an encrypted key',
      () => ({ client: { 'tls.crt': client.cert, 'tls.key': makeEncryptedKey() } }),
      `${keyKey} is an encrypted key: store it without a passphrase.`,
    ],
    [
      'the key of another certificate',
      () => ({ client: { 'tls.crt': client.cert, 'tls.key': other.key } }),
      `${keyKey} does not belong to the first certificate in tls.crt: store the pair that does.`,
    ],
  ])('that is %s is refused in one sentence', async (_, makeSecrets, sentence) => {
    const secrets: Secrets = {
      ca: { 'ca.crt': authority.cert },
      client: { 'tls.crt': client.cert, 'tls.key': client.key },
      ...makeSecrets(),
    };
    expect(await resolve(spec, secrets)).toEqual({
      kind: 'unresolved',
      reason: 'InvalidSecret',
      problems: [sentence],
    });
  });

  it('changes the fingerprint with every part of it', async () => {
    const secrets = (cert: Certificate) => ({
      ca: { 'ca.crt': cert.cert },
      client: { 'tls.crt': cert.cert, 'tls.key': cert.key },
    });
    const { tls } = spec;
    const variants: Array<[Record<string, unknown>, Secrets]> = [
      [{}, {}],
      [{ endpoint: 'https://other' }, {}],
      [{ compression: 'none' }, {}],
      [{ timeoutSeconds: 11 }, {}],
      [{ headers: [{ name: 'a', value: 'b' }] }, {}],
      [{ headers: [{ name: 'a', value: 'c' }] }, {}],
      [{ headers: [{ name: 'A', value: 'c' }] }, {}],
      [{ tls: { serverName: 'a' } }, {}],
      [{ tls: { insecureSkipVerify: true } }, {}],
      [{ tls: { caSecretRef: tls.caSecretRef } }, secrets(client)],
      [{ tls: { caSecretRef: tls.caSecretRef } }, secrets(other)],
      [{ tls: { clientCertSecretRef: tls.clientCertSecretRef } }, secrets(client)],
      [{ tls: { clientCertSecretRef: tls.clientCertSecretRef } }, secrets(other)],
    ];
    const prints = await Promise.all(
      variants.map(async ([each, data]) => (await destinationOf(each, data)).fingerprint),
    );
    expect(new Set(prints).size).toBe(variants.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{64}$/);
    expect((await destinationOf({})).fingerprint).toBe(prints[0]);
  });

  it('leaves the fingerprint as it is with what does not concern the request', async () => {
    const plain = await destinationOf({});
    const changed = await destinationOf({
      maxBatchSize: 5,
      suspend: true,
      startFrom: 'Beginning',
      organization: 'beta',
      filter: { projects: ['web'] },
    });
    expect(changed.fingerprint).toBe(plain.fingerprint);
  });
});

function makeEncryptedKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString();
}

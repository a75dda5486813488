/** TLS: who is trusted, and what a person is told when nobody is. */
import type { ServerOptions } from 'node:https';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Answer, NoAnswer } from '../../src/model/answer.ts';
import type { TlsOptions } from '../../src/model/exportConfig.ts';
import { Secret } from '../../src/model/secret.ts';
import { type CertificateAuthority, makeCertificateAuthority } from '../tools/certificates.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveHttps, serveTcp } from './loopback.ts';

let authority: CertificateAuthority;
beforeAll(() => {
  authority = makeCertificateAuthority();
});

/** Serves over TLS and sends one request there. */
async function sendTo(options: ServerOptions, tls: Partial<TlsOptions>, host = '127.0.0.1'): Promise<Answer> {
  const server = await serveHttps(options, (_request, response) => response.end());
  const transport = openTransport({ resolveName: async () => [{ address: '127.0.0.1', family: 4 }] });
  const url = `https://${host}:${server.port}/v1/logs`;
  return send(transport, makeDestination(url, { tls: { insecureSkipVerify: false, ...tls } }));
}

function expectTlsFailure(answer: Answer, code: string, advice: string): void {
  expect(answer).toMatchObject({ kind: 'no-answer', cause: 'tls' });
  const { message } = answer as NoAnswer;
  expect(message).toMatch(/^The TLS handshake with \S+:\d+ failed: .*\.$/);
  expect(message).toContain(`(${code})`);
  expect(message).toContain(advice);
}

describe('the receiver’s certificate', () => {
  it('passes when signed by the given authority for the address', async () => {
    const answer = await sendTo(authority.issue(['127.0.0.1']), { ca: authority.cert });
    expect(answer).toMatchObject({ kind: 'response', status: 200 });
  });

  it('passes for the name in the endpoint', async () => {
    const answer = await sendTo(
      authority.issue(['otel.example.com']),
      { ca: authority.cert },
      'otel.example.com',
    );
    expect(answer).toMatchObject({ status: 200 });
  });

  it('passes when the given bundle has the authority as its second', async () => {
    const ca = makeCertificateAuthority('Another').cert + authority.cert;
    expect(await sendTo(authority.issue(['127.0.0.1']), { ca })).toMatchObject({ status: 200 });
  });

  it('fails for another name, and says so', async () => {
    const answer = await sendTo(authority.issue(['other.example.com']), { ca: authority.cert });
    expectTlsFailure(answer, 'ERR_TLS_CERT_ALTNAME_INVALID', 'is for another name');
  });

  it('passes for another name when that is the server name given', async () => {
    const tls = { ca: authority.cert, serverName: 'other.example.com' };
    expect(await sendTo(authority.issue(['other.example.com']), tls)).toMatchObject({ status: 200 });
  });

  it('fails when its authority is unknown', async () => {
    const answer = await sendTo(authority.issue(['127.0.0.1']), {});
    expectTlsFailure(answer, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls.caSecretRef');
  });

  it('fails when self-signed', async () => {
    const answer = await sendTo({ cert: authority.cert, key: authority.key }, {});
    expectTlsFailure(answer, 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed');
  });

  it('fails when expired', async () => {
    const expired = authority.issue(['127.0.0.1'], {
      from: new Date('2020-01-01'),
      to: new Date('2021-01-01'),
    });
    expectTlsFailure(await sendTo(expired, { ca: authority.cert }), 'CERT_HAS_EXPIRED', 'has expired');
  });

  it('fails when not valid yet', async () => {
    const future = authority.issue(['127.0.0.1'], {
      from: new Date('2120-01-01'),
      to: new Date('2121-01-01'),
    });
    expectTlsFailure(await sendTo(future, { ca: authority.cert }), 'CERT_NOT_YET_VALID', 'clocks');
  });

  it('is not looked at with insecureSkipVerify', async () => {
    const expired = authority.issue(['x.example'], {
      from: new Date('2020-01-01'),
      to: new Date('2021-01-01'),
    });
    expect(await sendTo(expired, { insecureSkipVerify: true })).toMatchObject({ status: 200 });
  });
});

describe('a client certificate', () => {
  const asksForOne = (): ServerOptions => ({
    ...authority.issue(['127.0.0.1']),
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
  });

  it('is shown to a receiver that asks for one', async () => {
    const { cert, key } = authority.issue(['collector']);
    const tls = { ca: authority.cert, clientCert: { cert, key: new Secret(key) } };
    expect(await sendTo(asksForOne(), tls)).toMatchObject({ status: 200 });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'that is missing is asked for by name (%s)',
    async (maxVersion) => {
      const answer = await sendTo({ ...asksForOne(), maxVersion }, { ca: authority.cert });
      expect(answer).toMatchObject({
        cause: 'tls',
        message: expect.stringContaining('tls.clientCertSecretRef'),
      });
    },
  );

  it('of another authority is not accepted', async () => {
    const { cert, key } = makeCertificateAuthority('Stranger').issue(['collector']);
    const tls = { ca: authority.cert, clientCert: { cert, key: new Secret(key) } };
    expect(await sendTo(asksForOne(), tls)).toMatchObject({ kind: 'no-answer' });
  });

  it('is not lent to a stream that has none', async () => {
    const server = await serveHttps(asksForOne(), (_request, response) => response.end());
    const { cert, key } = authority.issue(['collector']);
    const transport = openTransport();
    const trusting = { ca: authority.cert, insecureSkipVerify: false };
    const withOne = makeDestination(server.url, {
      tls: { ...trusting, clientCert: { cert, key: new Secret(key) } },
    });
    expect(await send(transport, withOne)).toMatchObject({ status: 200 });
    expect(await send(transport, makeDestination(server.url, { tls: trusting }))).toMatchObject({
      kind: 'no-answer',
    });
    expect(await send(transport, withOne)).toMatchObject({ status: 200 });
  });
});

describe('TLS options that cannot be read', () => {
  it.each<[string, () => Partial<TlsOptions>, string]>([
    ['a CA that is no PEM', () => ({ ca: 'MIIB' }), 'tls.caSecretRef is not a PEM certificate'],
    ['an empty CA', () => ({ ca: '' }), 'tls.caSecretRef is not a PEM certificate'],
    [
      'a client certificate that is no PEM',
      () => ({ clientCert: { cert: 'x', key: new Secret(authority.key) } }),
      'tls.clientCertSecretRef is not a PEM certificate',
    ],
    [
      'a key of another certificate',
      () => ({
        clientCert: { cert: authority.issue(['a']).cert, key: new Secret(authority.issue(['b']).key) },
      }),
      'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    ],
    [
      'a key that is none',
      () => ({ clientCert: { cert: authority.issue(['a']).cert, key: new Secret('hunter2') } }),
      'ERR_OSSL_',
    ],
  ])('are named: %s', async (_what, tls, message) => {
    const answer = await sendTo(authority.issue(['127.0.0.1']), tls());
    expect(answer).toMatchObject({ cause: 'tls', message: expect.stringContaining(message) });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});

describe('https in the endpoint', () => {
  it('of a receiver without TLS says that', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const answer = await send(openTransport(), makeDestination(`https://127.0.0.1:${server.port}/v1/logs`));
    expect(answer).toMatchObject({ cause: 'tls', message: expect.stringContaining('use http://') });
  });

  it('of a receiver that hangs in the handshake ends at the deadline', async () => {
    const server = await serveTcp(() => {});
    const url = `https://127.0.0.1:${server.port}/v1/logs`;
    const answer = await send(openTransport(), makeDestination(url, { timeoutMs: 100 }));
    expect(answer).toMatchObject({ cause: 'timeout', message: expect.stringContaining('Could not connect') });
  });

  it('of a receiver that closes in the handshake is a failed connection', async () => {
    const server = await serveTcp((socket) => socket.once('data', () => socket.destroy()));
    const answer = await send(openTransport(), makeDestination(`https://127.0.0.1:${server.port}/v1/logs`));
    expect(answer).toMatchObject({ cause: 'connection' });
  });
});

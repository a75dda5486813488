/** What a port speaks, by real servers: HTTP/1.1, gRPC's HTTP/2, TLS with its certificate, nobody, somebody silent. */
import { createServer as createHttp2, createSecureServer } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeAddressGuard } from '../../src/transport/addressGuard.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveHttps, serveTcp } from './loopback.ts';

const authority = makeCertificateAuthority('Our authority');

async function listenHttp2(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function inspect(url: string, signal = new AbortController().signal) {
  return await openTransport().inspect({ destination: makeDestination(url), signal });
}

describe('inspect', () => {
  it('finds HTTP/1.1, and sends no request that counts', async () => {
    const methods: string[] = [];
    const { url } = await serveHttp((request, response) => {
      methods.push(request.method ?? '');
      response.end();
    });
    expect(await inspect(url)).toEqual({ plain: 'http1', tls: null });
    expect(methods).toEqual([]);
  });

  it('finds HTTP/2 without TLS, and an attempt to send there says that it is gRPC', async () => {
    const port = await listenHttp2(createHttp2());
    expect(await inspect(`http://127.0.0.1:${port}`)).toEqual({ plain: 'http2', tls: null });
    // As grpc-go: its settings first, then the end.
    const grpc = await serveTcp((socket) => {
      socket.once('data', () => socket.end(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 5, 0, 0, 64, 0])));
    });
    const answer = await send(openTransport(), makeDestination(grpc.url));
    expect(answer).toMatchObject({ kind: 'no-answer', cause: 'connection' });
    expect(JSON.stringify(answer)).toContain('speaks gRPC (HTTP/2) on this port');
  });

  it('finds TLS, and what its certificate says', async () => {
    const leaf = authority.issue(['otel.example.com', '127.0.0.1']);
    const { url } = await serveHttps(leaf, (_request, response) => void response.end());
    const report = await inspect(url);
    expect(report?.tls).toMatchObject({
      isHttp2Only: false,
      certificate: {
        subject: 'CN=otel.example.com',
        issuer: 'CN=Our authority',
        names: ['otel.example.com', '127.0.0.1'],
        isSelfSigned: false,
      },
    });
    expect(report?.tls?.certificate?.fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(report?.plain).not.toBe('http1');
  });

  it('tells a port of HTTP/2 alone from one that also speaks HTTP/1.1', async () => {
    const leaf = authority.issue(['127.0.0.1']);
    for (const allowHTTP1 of [true, false]) {
      const server = createSecureServer({ ...leaf, allowHTTP1 });
      server.on('unknownProtocol', (socket) => socket.destroy());
      const port = await listenHttp2(server);
      expect((await inspect(`https://127.0.0.1:${port}`))?.tls?.isHttp2Only).toBe(!allowHTTP1);
    }
  });

  it('finds nobody, somebody silent until the signal, and asks the guard', async () => {
    const gone = await serveTcp(() => {});
    const silent = AbortSignal.timeout(100);
    expect(await inspect(gone.url, silent)).toEqual({ plain: 'silent', tls: null });
    expect(await inspect('http://127.0.0.1:1')).toEqual({ plain: 'closed', tls: null });
    const guard = makeAddressGuard({ refusedRanges: ['127.0.0.0/8'] });
    const before = gone.accepted();
    const refused = openTransport({ guard }).inspect({
      destination: makeDestination(gone.url),
      signal: new AbortController().signal,
    });
    expect(await refused).toBeNull();
    expect(gone.accepted()).toBe(before);
  });
});

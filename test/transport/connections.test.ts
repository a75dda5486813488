/** How connections are shared, kept, bounded and closed. */
import { describe, expect, it } from 'vitest';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp, serveHttps, serveTcp, until } from './loopback.ts';

describe('connections', () => {
  it('are kept for the next attempt, whatever the headers are', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const transport = openTransport();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const headers = { Authorization: `Bearer ${attempt}` };
      expect(await send(transport, makeDestination(server.url, { headers }))).toMatchObject({ status: 200 });
    }
    expect(server.accepted()).toBe(1);
  });

  it('are kept over TLS', async () => {
    const authority = makeCertificateAuthority();
    const server = await serveHttps(authority.issue(['127.0.0.1']), (_request, response) => response.end());
    const transport = openTransport();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      // A TlsOptions of its own each time, as after every read of the configuration.
      const tls = { ca: authority.cert, insecureSkipVerify: false };
      expect(await send(transport, makeDestination(server.url, { tls }))).toMatchObject({ status: 200 });
    }
    expect(server.accepted()).toBe(1);
  });

  it('are left before the receiver’s own limit, when it gives one', async () => {
    const server = await serveHttp((_request, response) => {
      response.setHeader('keep-alive', 'timeout=1').end();
    });
    server.server.keepAliveTimeout = 60_000;
    const transport = openTransport();
    await send(transport, makeDestination(server.url));
    await until(() => server.open() === 0);
  });

  it('that the receiver closed while idle are not used again', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const transport = openTransport();
    expect(await send(transport, makeDestination(server.url))).toMatchObject({ status: 200 });
    server.server.closeAllConnections();
    await until(() => server.open() === 0);
    expect(await send(transport, makeDestination(server.url))).toMatchObject({ status: 200 });
    expect(server.accepted()).toBe(2);
  });

  it('that the receiver closes under a request give a failed connection, and the next attempt a new one', async () => {
    const server = await serveTcp((socket) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        else socket.destroy();
      });
    });
    const transport = openTransport();
    const destination = makeDestination(server.url);
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(await send(transport, destination)).toMatchObject({ kind: 'no-answer', cause: 'connection' });
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(server.accepted()).toBe(2);
  });

  it('to one receiver are bounded, and waiting for one does not use up the deadline', async () => {
    let running = 0;
    let most = 0;
    const server = await serveHttp((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.end();
      }, 50);
    });
    const transport = openTransport({ maxConnectionsPerOrigin: 4 });
    const destination = makeDestination(server.url, { timeoutMs: 400 });
    // 40 attempts of 50 ms by 4 at a time: 500 ms, longer than one may take.
    const answers = await Promise.all(Array.from({ length: 40 }, () => send(transport, destination)));
    expect(answers.every((answer) => answer.kind === 'response')).toBe(true);
    expect(most).toBe(4);
    expect(server.accepted()).toBe(4);
  });

  it('are waited for no longer than the caller’s signal allows', async () => {
    const server = await serveHttp(() => {});
    const transport = openTransport({ maxConnectionsPerOrigin: 1 });
    const first = new AbortController();
    const body = new Uint8Array([1]);
    const running = send(transport, makeDestination(server.url), body, first.signal);
    await until(() => server.open() === 1);
    const second = new AbortController();
    const waiting = send(transport, makeDestination(server.url), body, second.signal);
    second.abort();
    expect(await waiting).toMatchObject({ cause: 'aborted' });
    first.abort();
    expect(await running).toMatchObject({ cause: 'aborted' });
  });

  it('of one receiver that hangs do not keep others waiting', async () => {
    const dead = await serveHttp(() => {});
    const alive = await serveHttp((_request, response) => response.end());
    const transport = openTransport({ maxConnectionsPerOrigin: 2 });
    const stop = new AbortController();
    const hanging = Array.from({ length: 10 }, () =>
      send(transport, makeDestination(dead.url), new Uint8Array([1]), stop.signal),
    );
    await until(() => dead.open() === 2);
    expect(await send(transport, makeDestination(alive.url))).toMatchObject({ status: 200 });
    stop.abort();
    await Promise.all(hanging);
  });

  it('are closed when unused for a while', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const transport = openTransport({ idlePoolMs: 50 });
    await send(transport, makeDestination(server.url));
    expect(server.open()).toBe(1);
    await until(() => server.open() === 0);
    expect(await send(transport, makeDestination(server.url))).toMatchObject({ status: 200 });
  });

  it('of the longest unused receiver are closed when there are too many receivers', async () => {
    const servers = await Promise.all([0, 1, 2].map(() => serveHttp((_request, response) => response.end())));
    const transport = openTransport({ maxPools: 2 });
    for (const { url } of servers) await send(transport, makeDestination(url));
    await until(() => servers[0]?.open() === 0);
    expect(servers.map((server) => server.open())).toEqual([0, 1, 1]);
  });
});

describe('close', () => {
  it('waits for attempts under way and refuses new ones', async () => {
    let requested = false;
    let respond = () => {};
    const server = await serveHttp((_request, response) => {
      requested = true;
      respond = () => response.end();
    });
    const transport = openTransport({ maxConnectionsPerOrigin: 1 });
    const running = send(transport, makeDestination(server.url));
    await until(() => requested);
    const waiting = send(transport, makeDestination(server.url));
    const closed = transport.close();
    expect(await waiting).toMatchObject({ cause: 'aborted' });
    expect(await send(transport, makeDestination(server.url))).toMatchObject({ cause: 'aborted' });
    respond();
    expect(await running).toMatchObject({ status: 200 });
    await closed;
    await until(() => server.open() === 0);
  });

  it('may be called twice, and without any attempt', async () => {
    const transport = openTransport();
    await transport.close();
    await transport.close();
  });
});

/** The guard is asked about the address that is connected to, each time a connection is made. */
import { describe, expect, it } from 'vitest';
import { makeAddressGuard } from '../../src/transport/addressGuard.ts';
import { makeDestination } from '../tools/destination.ts';
import { openTransport, send, serveHttp } from './loopback.ts';

describe('a refused address', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://2852039166/', // the same as one number
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[::ffff:169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'https://[fd00:ec2::254]/',
    'http://0.0.0.0:4318/',
    'http://[::]:4318/',
    'http://[::ffff:0.0.0.0]:4318/',
  ])('written into the endpoint is not connected to: %s', async (url) => {
    const answer = await send(openTransport(), makeDestination(url, { timeoutMs: 1_000 }));
    expect(answer).toMatchObject({ cause: 'address-refused' });
  });

  it('is named with its range, so that a person can tell why', async () => {
    const answer = await send(openTransport(), makeDestination('http://169.254.169.254/'));
    expect(answer).toEqual({
      kind: 'no-answer',
      cause: 'address-refused',
      message:
        '169.254.169.254 may not be connected to: its address is 169.254.169.254, in 169.254.0.0/16 (link-local, where clouds serve metadata).',
    });
  });

  it('of a name is not connected to, also when the name was fine before (DNS rebinding)', async () => {
    const server = await serveHttp((_request, response) => response.setHeader('connection', 'close').end());
    const addresses = ['127.0.0.1', '169.254.169.254', '127.0.0.1'];
    const resolveName = async () => [{ address: addresses.shift() ?? '', family: 4 }];
    const transport = openTransport({ resolveName });
    const destination = makeDestination(`http://rebinding.example:${server.port}/`);
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(await send(transport, destination)).toMatchObject({ cause: 'address-refused' });
    expect(await send(transport, destination)).toMatchObject({ status: 200 });
    expect(server.accepted()).toBe(2);
  });

  it('is left out when the name has allowed ones too', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const resolveName = async () => [
      { address: 'fe80::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const destination = makeDestination(`http://mixed.example:${server.port}/`);
    expect(await send(openTransport({ resolveName }), destination)).toMatchObject({ status: 200 });
  });

  it('of a name that stands for loopback is refused when loopback is', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const guard = makeAddressGuard({ refusedRanges: ['127.0.0.0/8', '::1/128'] });
    const destination = makeDestination(`http://localhost:${server.port}/`);
    expect(await send(openTransport({ guard }), destination)).toMatchObject({ cause: 'address-refused' });
    expect(server.accepted()).toBe(0);
  });

  it('is never connected to over a connection that another export made', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const transport = openTransport();
    expect(await send(transport, makeDestination(server.url))).toMatchObject({ status: 200 });
    const kept = await send(transport, makeDestination(server.url, { addresses: 'public' }));
    expect(kept).toMatchObject({ cause: 'address-refused', message: expect.stringContaining('loopback') });
    expect(server.accepted()).toBe(1);
  });

  it('opens again by setting', async () => {
    const server = await serveHttp((_request, response) => response.end());
    const guard = makeAddressGuard({ refusedRanges: [], allowedRanges: ['127.0.0.1'] });
    const destination = makeDestination(server.url, { addresses: 'public' });
    expect(await send(openTransport({ guard }), destination)).toMatchObject({ status: 200 });
  });

  it('is that of the collector itself, by whatever name', async () => {
    const page = await serveHttp((_request, response) => response.end());
    const guard = makeAddressGuard({ refusedRanges: [], ownPorts: () => [page.port] });
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '127.0.0.2']) {
      const answer = await send(openTransport({ guard }), makeDestination(`http://${host}:${page.port}/`));
      expect(answer, host).toMatchObject({ cause: 'address-refused' });
    }
    expect(page.accepted()).toBe(0);
  });
});

/** Names are looked up as the system does, and those that nobody answers for keep no other waiting. */
import { lookup } from 'node:dns/promises';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeNameResolver, type NameResolverOptions } from '../../src/transport/dns/nameResolver.ts';
import { parseHosts } from '../../src/transport/dns/systemFiles.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeDestination } from '../tools/destination.ts';
import { serveDns } from '../tools/dnsServer.ts';
import { openTransport, send, serveHttp, until } from './loopback.ts';

/** The resolver of a machine with these files. */
async function makeResolver(resolvConf: string, hosts = '', options: NameResolverOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'names-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const paths = { resolvConf: join(directory, 'resolv.conf'), hosts: join(directory, 'hosts') };
  await writeFile(paths.resolvConf, resolvConf);
  await writeFile(paths.hosts, hosts);
  return makeNameResolver({ paths, ...options });
}

const addressesOf = (found: ReadonlyArray<{ address: string }>) => found.map(({ address }) => address).sort();

const cluster = 'search audit.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n';

describe('a name', () => {
  it('has addresses of both kinds', async () => {
    const server = await serveDns((name) =>
      name === 'otel.example.com' ? { a: ['192.0.2.1', '192.0.2.2'], aaaa: ['2001:db8::1'] } : undefined,
    );
    const resolve = await makeResolver(`nameserver ${server.address}`);
    expect(addressesOf(await resolve('OTEL.example.com'))).toEqual(['192.0.2.1', '192.0.2.2', '2001:db8::1']);
  });

  it.each([
    ['otel-collector.monitoring', 'otel-collector.monitoring.svc.cluster.local'],
    ['otel-collector', 'otel-collector.audit.svc.cluster.local'],
    ['otel-collector.monitoring.svc', 'otel-collector.monitoring.svc.cluster.local'],
    ['otel-collector.monitoring.svc.cluster.local', 'otel-collector.monitoring.svc.cluster.local'],
    ['otel-collector.monitoring.svc.cluster.local.', 'otel-collector.monitoring.svc.cluster.local'],
    ['otel.example.com', 'otel.example.com'],
  ])('of a cluster is found by the search domains: %s', async (name, full) => {
    const server = await serveDns((asked) => (asked === full ? { a: ['192.0.2.7'] } : undefined));
    const resolve = await makeResolver(`nameserver ${server.address}\n${cluster}`);
    expect(addressesOf(await resolve(name))).toEqual(['192.0.2.7']);
  });

  it('with as many dots as ndots is asked for as it is first', async () => {
    const server = await serveDns(() => ({ a: ['192.0.2.7'] }));
    const resolve = await makeResolver(`nameserver ${server.address}\nsearch corp.example\n`);
    await resolve('a.b');
    await resolve('c');
    expect(server.questions.toSorted()).toEqual([
      'a.b A',
      'a.b AAAA',
      'c.corp.example A',
      'c.corp.example AAAA',
    ]);
  });

  it('of the hosts file needs no question', async () => {
    const server = await serveDns(() => ({ a: ['192.0.2.7'] }));
    const hosts = '# comment\n10.1.2.3  Receiver receiver.local # more\n2001:db8::3 receiver\n';
    const resolve = await makeResolver(`nameserver ${server.address}`, hosts);
    expect(addressesOf(await resolve('receiver'))).toEqual(['10.1.2.3', '2001:db8::3']);
    expect(addressesOf(await resolve('receiver.LOCAL'))).toEqual(['10.1.2.3']);
    expect(server.questions).toEqual([]);
  });

  it('is asked of the next server when the first does not answer or fails', async () => {
    const silent = await serveDns(() => 'silent');
    const failing = await serveDns(() => 'failed');
    const good = await serveDns(() => ({ a: ['192.0.2.7'] }));
    for (const bad of [silent, failing]) {
      const resolve = await makeResolver(
        `nameserver ${bad.address}\nnameserver ${good.address}\noptions timeout:1`,
      );
      expect(addressesOf(await resolve('otel.example.com'))).toEqual(['192.0.2.7']);
    }
  });

  it('is found where the server never answers about IPv6', async () => {
    const server = await serveDns(() => ({ a: ['192.0.2.7'] }), false);
    const resolve = await makeResolver(`nameserver ${server.address}`);
    expect(addressesOf(await resolve('otel.example.com'))).toEqual(['192.0.2.7']);
  });

  it('that does not exist, or has no address, is said not to exist', async () => {
    const server = await serveDns((name) => (name === 'empty.example' ? {} : undefined));
    const resolve = await makeResolver(`nameserver ${server.address}`);
    await expect(resolve('gone.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolve('empty.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    await expect(resolve(`${'a'.repeat(64)}.example`)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('is found soon after it came to be', async () => {
    let isThere = false;
    const server = await serveDns(() => (isThere ? { a: ['192.0.2.7'] } : undefined));
    const resolve = await makeResolver(`nameserver ${server.address}`);
    await expect(resolve('new.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    isThere = true;
    const found = await waitFor(() => resolve('new.example').catch(() => undefined));
    expect(addressesOf(found)).toEqual(['192.0.2.7']);
  });

  it('is asked for once by all who want it', async () => {
    const server = await serveDns(() => ({ a: ['192.0.2.7'] }));
    const resolve = await makeResolver(`nameserver ${server.address}`);
    await Promise.all(Array.from({ length: 50 }, (_, at) => resolve('otel.example.com', `owner ${at}`)));
    expect(server.questions).toHaveLength(2);
  });

  it.each(['localhost', hostname()])('of this machine is what getaddrinfo says: %s', async (name) => {
    const resolve = makeNameResolver();
    const expected = await lookup(name, { all: true }).catch(() => []);
    const found = await resolve(name).catch(() => []);
    // getaddrinfo leaves out ::1 where only 127.0.0.1 is listed; nothing else may differ.
    for (const address of addressesOf(expected)) expect(addressesOf(found)).toContain(address);
  });

  it('of this machine’s hosts file is what getaddrinfo says', async () => {
    const resolve = makeNameResolver();
    for (const name of parseHosts(await readFile('/etc/hosts', 'utf8')).keys()) {
      const expected = await lookup(name, { all: true });
      expect(new Set(addressesOf(await resolve(name))), name).toEqual(new Set(addressesOf(expected)));
    }
  });
});

describe('names that nobody answers for', () => {
  it('end at a deadline, and are asked for more and more rarely', async () => {
    const server = await serveDns(() => 'silent');
    const resolve = await makeResolver(`nameserver ${server.address}`, '', { deadlineMs: 300 });
    await expect(resolve('dead.example')).rejects.toMatchObject({ code: 'ERR_DNS_UNANSWERED' });
    const { length } = server.questions;
    for (let time = 0; time < 20; time += 1) {
      await expect(resolve('dead.example')).rejects.toMatchObject({ code: 'ERR_DNS_UNANSWERED' });
    }
    expect(server.questions).toHaveLength(length);
  });

  it('keep no other name waiting, of the same organization or another', async () => {
    const server = await serveDns((name) => (name.startsWith('dead') ? 'silent' : { a: ['127.0.0.1'] }));
    const resolveName = await makeResolver(`nameserver ${server.address}`, '', { maxQuestionsPerOwner: 30 });
    const receiver = await serveHttp((_request, response) => response.end());
    const transport = openTransport({ resolveName });
    const stop = new AbortController();
    const dead = Array.from({ length: 24 }, (_, at) =>
      transport.send({
        destination: makeDestination(`http://dead-${at}.example/`, { timeoutMs: 60_000 }),
        body: new Uint8Array([1]),
        signal: stop.signal,
        organization: 'acme',
      }),
    );
    await until(() => server.questions.length >= 48);
    const startedAt = performance.now();
    for (const organization of ['acme', 'globex']) {
      const answer = await transport.send({
        destination: makeDestination(`http://good-${organization}.example:${receiver.port}/`),
        body: new Uint8Array([1]),
        signal: stop.signal,
        organization,
      });
      expect(answer).toMatchObject({ status: 200 });
    }
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    stop.abort();
    await Promise.all(dead);
  });

  it('of one organization take no more than its share', async () => {
    const server = await serveDns((name) => (name.startsWith('dead') ? 'silent' : { a: ['127.0.0.1'] }));
    const resolve = await makeResolver(`nameserver ${server.address}`, '', { maxQuestionsPerOwner: 4 });
    const stop = new AbortController();
    const dead = Array.from({ length: 24 }, (_, at) =>
      resolve(`dead-${at}.example`, 'acme', stop.signal).catch((error: unknown) => error),
    );
    await until(() => server.questions.length >= 8);
    expect(addressesOf(await resolve('good.example', 'globex'))).toEqual(['127.0.0.1']);
    expect(new Set(server.questions.filter((asked) => asked.startsWith('dead'))).size).toBe(8);
    stop.abort();
    for (const error of await Promise.all(dead)) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_DNS_/) });
    }
  });

  it('are said to be DNS’s fault, with the time that was waited', async () => {
    const server = await serveDns(() => 'silent');
    const resolveName = await makeResolver(`nameserver ${server.address}`);
    const answer = await send(
      openTransport({ resolveName }),
      makeDestination('http://dead.example:4318/', { timeoutMs: 200 }),
    );
    expect(answer).toMatchObject({
      cause: 'dns',
      message: 'Could not resolve the name of dead.example:4318: no answer from DNS within 0.2 s.',
    });
  });

  it('are told apart from a receiver that does not answer', async () => {
    const server = await serveDns(() => ({ a: ['127.0.0.1'] }));
    const receiver = await serveHttp(() => {});
    const resolveName = await makeResolver(`nameserver ${server.address}`);
    const answer = await send(
      openTransport({ resolveName }),
      makeDestination(`http://slow.example:${receiver.port}/`, { timeoutMs: 200 }),
    );
    expect(answer).toMatchObject({ cause: 'timeout', message: expect.stringContaining('No answer from') });
  });
});

/** What the page may do by itself after a failed test: few requests, soon over, without credentials elsewhere, to no forbidden address. */
import { writeFile } from 'node:fs/promises';
import { createServer as createHttp, type IncomingMessage } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { defaultRateLimits } from '../../src/web/security/rateLimits.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { serveHttp, serveHttps } from '../transport/loopback.ts';
import { exportsUrl, header, tryForm } from './tryForm.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const secret = 'hush-hush-hush';
let last = 0;

async function listen(server: Server, host: string, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** gRPC at some port, and whatever `seen` gets at 4318 of the same host. */
async function serveWrongPort() {
  const host = `127.99.${process.pid % 250}.${++last}`;
  const seen: IncomingMessage[] = [];
  const right = createHttp((request, response) => {
    seen.push(request);
    request.resume().on('end', () => response.end());
  });
  await listen(right, host, 4318);
  return { host, seen, port: await listen(createHttp2(), host) };
}

it('tells another port neither header values nor the query', async () => {
  const page = await startPageUnderTest(postgres);
  const { host, port, seen } = await serveWrongPort();
  const fields = {
    endpoint: `http://${host}:${port}/v1/logs?key=${secret}`,
    ...header('Authorization', `Bearer ${secret}`),
  };
  const said = await tryForm(page, fields);
  expect(seen.map(({ url, rawHeaders }) => `${url} ${rawHeaders}`)).toHaveLength(1);
  expect(`${seen[0]?.url} ${seen[0]?.rawHeaders}`).not.toContain(secret);
  expect(said.labels).toEqual([`Use http://${host}:4318/v1/logs?… and test`]);
  // It is the viewer who sends them there.
  const fixed = await tryForm(page, { ...fields, fix: said.fixes[0] ?? '' });
  expect(fixed.text).toContain('took the test record');
  expect(seen[1]?.url).toBe(`/v1/logs?key=${secret}`);
});

it('shows another port no client certificate', async () => {
  const page = await startPageUnderTest(postgres);
  const authority = makeCertificateAuthority();
  const host = `127.99.${process.pid % 250}.${++last}`;
  const shown: unknown[] = [];
  const options = {
    ...authority.issue([host]),
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const server = createHttps(options, (request, response) => {
    shown.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? 'nobody');
    request.resume().on('end', () => response.end());
  });
  await listen(server, host, 4318);
  const client = authority.issue(['our-client']);
  const fields = {
    endpoint: `https://${host}:1`,
    'tls.caSecretRef': authority.cert,
    'tls.clientCertSecretRef': client.cert,
    'tls.clientCertSecretRef.key': client.key,
  };
  const said = await tryForm(page, fields);
  expect(said.text).toContain('Nothing answers at this port, but OTLP does at 4318.');
  expect(shown).toEqual(['nobody']);
  const fixed = await tryForm(page, { ...fields, fix: said.fixes[0] ?? '' });
  expect(fixed.text).toContain('took the test record');
  expect(shown[1]).toBe('our-client');
});

it('connects nowhere that could not have been typed, although a manifest leads to the same host', async () => {
  const page = await startPageUnderTest(postgres, { allowedRanges: [] });
  const { host, port, seen } = await serveWrongPort();
  const endpoint = `http://${host}:${port}`;
  const manifest = {
    apiVersion: 'auditexport.dev/v1',
    kind: 'AuditExportConfig',
    metadata: { name: 'siem' },
    spec: { organization: 'acme', endpoint },
  };
  await writeFile(join(page.directory, 'siem.yaml'), JSON.stringify(manifest));
  const said = await tryForm(page, { endpoint }, '/default.siem/test');
  expect(said.text).toContain('This is OTLP over gRPC.');
  expect(seen).toEqual([]);
  const typed = await tryForm(page, { endpoint });
  expect(typed.text).toContain('This address may not be used');
  expect(typed.fixes).toEqual([]);
});

it('asks few times, gives up in time, and counts a click on its button as a test', async () => {
  const sentTest = { requests: 2, windowMs: 60_000, atOnce: 4 };
  const page = await startPageUnderTest(postgres, { rateLimits: { ...defaultRateLimits, sentTest } });
  let requests = 0;
  // It refuses the record, and then hangs.
  const { url } = await serveHttp((request, response) => {
    if (requests++ === 0) request.resume().on('end', () => response.writeHead(404).end());
  });
  // In the time of a test, though each request may take five minutes.
  await tryForm(page, { endpoint: url, timeoutSeconds: '300' });
  expect(requests).toBeGreaterThan(3);
  expect(requests).toBeLessThanOrEqual(10);
  const fix = `set endpoint ${url}`;
  await tryForm(page, { endpoint: `${url}/x`, fix, timeoutSeconds: '1' });
  const before = requests;
  expect((await tryForm(page, { endpoint: `${url}/x`, fix })).text).toContain('You can send 2 test records');
  expect(requests).toBe(before);
});

it('ends with the test that the viewer cancels', async () => {
  const page = await startPageUnderTest(postgres);
  let requests = 0;
  const receiver = await serveHttp((request, response) => {
    if (requests++ === 0) request.resume().on('end', () => response.writeHead(404).end());
  });
  const cancel = new AbortController();
  const answer = fetch(`${page.origin}${exportsUrl}/new/test`, {
    method: 'POST',
    headers: { Origin: page.origin },
    body: new URLSearchParams({
      endpoint: receiver.url,
      maxBatchSize: '5',
      compression: 'none',
      timeoutSeconds: '9',
    }),
    signal: cancel.signal,
  });
  await waitFor(() => requests > 3);
  const cancelledAt = performance.now();
  cancel.abort();
  await expect(answer).rejects.toThrow();
  await waitFor(() => receiver.open() === 0);
  // By itself each request would go on for 3 s.
  expect(performance.now() - cancelledAt).toBeLessThan(2_500);
});

it('has no button that trusts any certificate, and takes none', async () => {
  const page = await startPageUnderTest(postgres);
  const { port } = await serveHttps(makeCertificateAuthority().issue(['127.0.0.1']), (_request, response) => {
    response.end();
  });
  const endpoint = `https://127.0.0.1:${port}`;
  expect((await tryForm(page, { endpoint })).fixes).toEqual([]);
  for (const fix of ['set tls.insecureSkipVerify true', 'set tls.caSecretRef x', 'set organization other']) {
    expect((await tryForm(page, { endpoint, fix })).text).toContain('No secure connection');
  }
});

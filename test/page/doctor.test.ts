/** Mistakes of setting up an export, each with what the page says and what its button would change; by real servers. */
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificateAuthority } from '../tools/certificates.ts';
import { migrateDatabase } from '../tools/database.ts';
import { startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { serveHttp, serveHttps, serveTcp } from '../transport/loopback.ts';
import { exportsUrl, header, tryForm } from './tryForm.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const token = 'hush-hush-hush';

/** OTLP at one path, and `otherwise` at every other. */
async function serveOtlpAt(
  path: string,
  otherwise: { status: number; type?: string; body?: string; location?: string },
) {
  const seen: Array<{ path: string; bytes: number; authorization: string | undefined }> = [];
  const server = await serveHttp((request, response) => {
    let bytes = 0;
    request.on('data', (piece: Buffer) => (bytes += piece.length));
    request.on('end', () => {
      seen.push({ path: request.url ?? '', bytes, authorization: request.headers.authorization });
      if (request.url === path) return response.end();
      const { status, type = 'text/plain', body = '', location } = otherwise;
      response.writeHead(status, { 'content-type': type, ...(location && { location }) });
      return response.end(body);
    });
  });
  return { ...server, origin: `http://127.0.0.1:${server.port}`, seen };
}

async function serveHttp2(): Promise<number> {
  const server: Server = createHttp2();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('what the text of an endpoint shows', () => {
  it.each<[typed: string, says: RegExp, fix: string | null]>([
    ['otel.example.com:4318', /The scheme is missing/, 'https://otel.example.com:4318'],
    ['collector:4318', /The scheme is missing/, 'http://collector:4318'],
    ['//otel.example.com', /must begin with http/, null],
    ['htps://otel.example.com', /The scheme is misspelt/, 'https://otel.example.com'],
    ['https:/otel.example.com', /The scheme is misspelt/, 'https://otel.example.com'],
    ['grpc://otel.example.com:4317', /OTLP over gRPC.*usually 4318/, 'http://otel.example.com:4318'],
    ['grpcs://otel.example.com', /OTLP over gRPC/, 'https://otel.example.com:4318'],
    ['https://ada:pw@otel.example.com', /send an Authorization header/, null],
    [
      'https://otel.example.com/v1/traces',
      /another signal would take the records/,
      'https://otel.example.com/v1/logs',
    ],
    ['https://otel.example.com/otlp/v1/metrics', /lose them/, 'https://otel.example.com/otlp/v1/logs'],
    ['https://otel.example.com#here', /has a fragment/, null],
    ['https://otel.example.com:99999', /host or port that cannot be read/, null],
    ['https://', /has no host/, null],
    ['https://otel example.com', /has a space/, null],
    ['ftp://otel.example.com', /must begin with http/, null],
    ['', /is empty|must be/, null],
  ])('%s', async (typed, says, fix) => {
    const page = await startPageUnderTest(postgres);
    const said = await tryForm(page, { endpoint: typed });
    expect(said.text).toMatch(says);
    expect(said.fixes).toEqual(fix === null ? [] : [`set endpoint ${fix}`]);
    expect(said.text).not.toContain('took the test record');
  });

  it.each(['"URL"', "'URL'", '<URL>', '`URL`', '"URL",', ' URL\n', 'URL;'])(
    'takes %j as it is meant',
    async (typed) => {
      const page = await startPageUnderTest(postgres);
      const { origin } = await serveOtlpAt('/v1/logs', { status: 404 });
      expect((await tryForm(page, { endpoint: typed.replace('URL', origin) })).text).toContain(
        'took the test record',
      );
    },
  );
});

describe('where OTLP answers instead', () => {
  it.each<[typed: string, real: string, otherwise: Parameters<typeof serveOtlpAt>[1]]>([
    ['/wrong', '/v1/logs', { status: 404 }],
    ['/v1/logs', '/otlp/v1/logs', { status: 404 }],
    ['/otlp', '/otlp/v1/logs', { status: 405 }],
    ['/v1/logs/', '/v1/logs', { status: 404 }],
    ['/v1/logs/v1/logs', '/v1/logs', { status: 404 }],
    ['//v1/logs', '/v1/logs', { status: 404 }],
    ['/v1', '/v1/logs', { status: 404 }],
    ['/v1/logs', '/insert/opentelemetry/v1/logs', { status: 404 }],
    ['/v1/logs', '/_otlp/v1/logs', { status: 405 }],
    ['/login', '/v1/logs', { status: 200, type: 'text/html', body: '<title>Log in</title>' }],
    ['/api', '/api/v1/logs', { status: 200, type: 'application/json', body: '{"ok":1}' }],
    ['/ui', '/v1/logs', { status: 302, location: '/login' }],
    ['/x', '/v1/logs', { status: 415 }],
  ])('not at %s but at %s', async (typed, real, otherwise) => {
    const page = await startPageUnderTest(postgres);
    const { origin, seen } = await serveOtlpAt(real, otherwise);
    const said = await tryForm(page, {
      endpoint: origin + typed,
      ...header('Authorization', `Bearer ${token}`),
    });
    expect(said.text).toContain(`OTLP answers at ${origin}${real}.`);
    expect(said.fixes).toEqual([`set endpoint ${origin}${real}`]);
    // One record; every other request is empty, and they are few. All are of the same origin, with its headers.
    expect(seen.filter(({ bytes }) => bytes > 0)).toHaveLength(1);
    expect(seen.length).toBeLessThanOrEqual(9);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${token}`]));
    // The button: it changes the field and tests again.
    const fixed = await tryForm(page, {
      endpoint: origin + typed,
      fix: said.fixes[0] ?? '',
      ...header('Authorization', `Bearer ${token}`),
    });
    expect(fixed.text).toContain('took the test record');
    expect(fixed.text).not.toContain(token);
  });

  it('offers nothing where nothing answers, and says the advice once', async () => {
    const page = await startPageUnderTest(postgres);
    const { origin } = await serveOtlpAt('/elsewhere', { status: 404 });
    const said = await tryForm(page, { endpoint: `${origin}/wrong` });
    expect(said.fixes).toEqual([]);
    expect(said.text.match(/Correct the path/g)).toHaveLength(1);
  });
});

describe('what speaks at a port', () => {
  it('gRPC', async () => {
    const page = await startPageUnderTest(postgres);
    const port = await serveHttp2();
    for (const scheme of ['http']) {
      const said = await tryForm(page, { endpoint: `${scheme}://127.0.0.1:${port}` });
      expect(said.text).toContain('This is OTLP over gRPC. Use the OTLP/HTTP port, usually 4318.');
      expect(said.fixes).toEqual(['set endpoint http://127.0.0.1:4318/v1/logs']);
    }
  });

  it('https where http is spoken, and http where TLS is', async () => {
    const page = await startPageUnderTest(postgres);
    const plain = await serveOtlpAt('/v1/logs', { status: 404 });
    const upgraded = await tryForm(page, {
      endpoint: `https://127.0.0.1:${plain.port}`,
      ...header('Authorization', `Bearer ${token}`),
    });
    expect(upgraded.text).toContain('This port speaks HTTP without TLS');
    expect(upgraded.fixes).toEqual([`set endpoint ${plain.origin}/v1/logs`]);
    // Nothing went there in plain text to find out.
    expect(plain.seen).toEqual([]);
    const leaf = makeCertificateAuthority().issue(['127.0.0.1']);
    const secure = await serveHttps(leaf, (_request, response) => void response.end());
    const said = await tryForm(page, { endpoint: `http://127.0.0.1:${secure.port}` });
    expect(said.text).toContain('This port speaks TLS: use https.');
    expect(said.fixes).toEqual([`set endpoint https://127.0.0.1:${secure.port}/v1/logs`]);
  });

  it('nobody, somebody silent, and what is no HTTP', async () => {
    const page = await startPageUnderTest(postgres);
    const nobody = await tryForm(page, { endpoint: 'http://127.0.0.1:1' });
    expect(nobody.text).toContain('Nothing listens there');
    expect(nobody.text).toContain('127.0.0.1 is the machine or pod that the collector runs on, not yours.');
    const silent = await serveTcp(() => {});
    expect((await tryForm(page, { endpoint: silent.url })).text).toContain('No answer in time');
    const odd = await serveTcp((socket) => void socket.once('data', () => socket.end('220 mail\r\n')));
    expect((await tryForm(page, { endpoint: odd.url })).text).toContain('the answer is not HTTP');
    expect((await tryForm(page, { endpoint: 'http://no-such-host.invalid' })).text).toContain(
      'host name was not found',
    );
  });
});

describe('certificates', () => {
  it.each<[what: string, names: string[], days: number, says: RegExp, fix: string | null]>([
    [
      'of an unknown authority',
      ['127.0.0.1'],
      1,
      /does not trust CN=Test authority.*Compare the fingerprint.*Certificate authority under TLS/,
      null,
    ],
    [
      'for another name',
      ['otel.example.com'],
      1,
      /not for 127\.0\.0\.1, but for otel\.example\.com/,
      'set tls.serverName otel.example.com',
    ],
    ['for a wildcard', ['*.example.com'], 1, /but for \*\.example\.com/, null],
    ['that expired', ['127.0.0.1'], -1, /expired on \d{4}-\d\d-\d\d/, null],
  ])('%s', async (_what, names, days, says, fix) => {
    const page = await startPageUnderTest(postgres);
    const validity = {
      from: new Date(Date.now() - 9 * 86_400_000),
      to: new Date(Date.now() + days * 86_400_000),
    };
    const leaf = makeCertificateAuthority().issue(names, validity);
    const { port } = await serveHttps(leaf, (_request, response) => void response.end());
    const said = await tryForm(page, { endpoint: `https://127.0.0.1:${port}` });
    expect(said.text).toMatch(says);
    expect(said.text).toMatch(/Subject CN=.* Issuer CN=Test authority .*SHA-256 (?:[0-9A-F]{2}:){31}/);
    expect(said.fixes).toEqual(fix === null ? [] : [fix]);
  });
});

describe('headers', () => {
  it.each<[what: string, name: string, value: string, arrives: string]>([
    ['a whole header as the name', `Authorization: Bearer ${token}`, '', `Bearer ${token}`],
    ['as curl has it', `-H 'Authorization: Bearer ${token}'`, '', `Bearer ${token}`],
    ['its name before the value', 'Authorization', `authorization: Bearer ${token}`, `Bearer ${token}`],
    ['quotes around the value', 'Authorization', `"Bearer ${token}"`, `Bearer ${token}`],
    ['a line break behind it', 'Authorization', `Bearer ${token}\n`, `Bearer ${token}`],
    ['the scheme twice', 'Authorization', `Bearer Bearer ${token}`, `Bearer ${token}`],
  ])('%s', async (_what, name, value, arrives) => {
    const page = await startPageUnderTest(postgres);
    const { origin, seen } = await serveOtlpAt('/v1/logs', { status: 404 });
    const said = await tryForm(page, { endpoint: origin, ...header(name, value) });
    expect(seen[0]?.authorization).toBe(arrives);
    expect(said.text).toContain('took the test record');
    const html = await (
      await fetch(`${page.origin}${exportsUrl}/new/test`, {
        method: 'POST',
        headers: { Origin: page.origin },
        body: new URLSearchParams({ endpoint: origin, ...header(name, value) }),
      })
    ).text();
    expect(html).not.toContain(token);
    expect(page.log.join('')).not.toContain(token);
  });

  it('a 401 for one word, and for no header at all', async () => {
    const page = await startPageUnderTest(postgres);
    const { url } = await serveHttp((request, response) => {
      const isKnown = request.headers.authorization === `Bearer ${token}`;
      request.resume().on('end', () => response.writeHead(isKnown ? 200 : 401).end());
    });
    const said = await tryForm(page, { endpoint: url, ...header('Authorization', token) });
    expect(said.text).toContain('has one word. Usually it is “Bearer TOKEN”.');
    expect(said.fixes).toEqual(['prefix headers.0.value Bearer ']);
    const fixed = await tryForm(page, {
      endpoint: url,
      fix: said.fixes[0] ?? '',
      ...header('Authorization', token),
    });
    expect(fixed.text).toContain('took the test record');
    expect((await tryForm(page, { endpoint: url })).text).toContain('No header is set.');
  });

  it.each<[name: string, value: string, says: RegExp]>([
    ['Content-Type', 'x', /set by the collector itself/],
    ['X-Forwarded-For', 'x', /only browsers and proxies may say that/],
    ['My Header', 'x', /is not a header name/],
    ['X-Token', 'schlüssel', /character that cannot be sent/],
    ['X-Token', '', /Value of header 1/],
  ])('%s: %s', async (name, value, says) => {
    const page = await startPageUnderTest(postgres);
    const said = await tryForm(page, { endpoint: 'https://otel.example.com', ...header(name, value) });
    expect(said.status).toBe(422);
    expect(said.text).toMatch(says);
  });

  it('the same name twice, and too many of them', async () => {
    const page = await startPageUnderTest(postgres);
    const many = Object.fromEntries(
      Array.from({ length: 33 }, (_, n) => [`headers.${n}.name`, `X-${n}`] as const).flatMap(
        ([key, name]) => [
          [key, name],
          [key.replace('name', 'value'), 'v'],
        ],
      ),
    );
    const endpoint = 'https://otel.example.com';
    expect((await tryForm(page, { endpoint, ...many })).text).toContain('The list “Headers” has 33 items');
    const twice = { ...header('X-A', '1'), 'headers.1.name': 'x-a', 'headers.1.value': '2' };
    expect((await tryForm(page, { endpoint, ...twice })).text).toContain('the name of an earlier header');
  });
});

it.each<[status: number, says: RegExp]>([
  [403, /may not write logs/],
  [407, /A proxy asks for credentials/],
  [413, /too large/],
  [422, /refused the record/],
  [429, /accepts no more right now/],
  [500, /unavailable right now/],
  [504, /unavailable right now/],
])('an answer of %d', async (status, says) => {
  const page = await startPageUnderTest(postgres);
  const { url } = await serveHttp((request, response) => {
    request.resume().on('end', () => response.writeHead(status).end());
  });
  const said = await tryForm(page, { endpoint: url });
  expect(said.text).toMatch(says);
  expect(said.text).not.toMatch(/retried automatically|Nothing to do for now|replay what is parked/);
});

it('counts the tests that were sent, those of Add too, and says when the next may be', async () => {
  const limit = { requests: 2, windowMs: 60_000, atOnce: 4 };
  const { defaultRateLimits } = await import('../../src/web/security/rateLimits.ts');
  const page = await startPageUnderTest(postgres, { rateLimits: { ...defaultRateLimits, sentTest: limit } });
  for (let n = 0; n < 4; n++) expect((await tryForm(page, { endpoint: 'nowhere' })).status).toBe(422);
  const endpoint = 'http://127.0.0.1:1';
  expect((await tryForm(page, { endpoint })).text).toContain('Nothing listens there');
  expect((await tryForm(page, { endpoint, op: 'save' }, '/new')).text).toContain('was not added');
  const refused = /You can send 2 test records a minute\. Wait \d+ (?:seconds|minutes), then try again\./;
  expect((await tryForm(page, { endpoint })).text).toMatch(refused);
  expect((await tryForm(page, { endpoint, op: 'save' }, '/new')).text).toMatch(refused);
});

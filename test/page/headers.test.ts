/** AUTH_MODE=headers, and AUTH_MODE=local: who is believed by where a connection comes from and leads to. */
import { request as sendRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { makeLocalAuthenticator } from '../../src/web/auth/local.ts';
import { makeHeadersAuthenticator } from '../../src/web/auth/proxyHeaders.ts';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { headersOptions, proxySecret } from './authModes.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const ada = { ...proxySecret, 'X-Forwarded-User': 'u-ada', 'X-Forwarded-Groups': 'staff, audit-admin:acme' };

function start(trustedProxies: string[] = ['127.0.0.1/32']): Promise<PageUnderTest> {
  const authenticator = makeHeadersAuthenticator({ ...headersOptions, trustedProxies });
  return startPageUnderTest(postgres, { authenticator });
}

/** Headers as they are, one line for each value; unlike fetch, which sets Host and joins what comes twice. */
function ask(
  { origin }: PageUnderTest,
  headers: Record<string, string | string[]>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = sendRequest(
      origin + logs,
      { headers, setHost: headers['Host'] === undefined },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on('error', reject).end();
  });
}

describe('with AUTH_MODE=headers', () => {
  it('believes a trusted proxy', async () => {
    const { status, text } = await ask(await start(), { ...ada, 'X-Forwarded-Preferred-Username': 'Ada' });
    expect(status).toBe(200);
    expect(text).toContain('Ada');
  });

  it.each([
    ['nobody', []],
    ['another network', ['10.0.0.0/8']],
    ['IPv6 alone', ['::1/128', 'fd00::/8']],
  ])('does not believe a connection when %s is trusted', async (_who, trusted) => {
    const { status } = await ask(await start(trusted), ada);
    expect(status).toBe(401);
  });

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP'])(
    'does not take %s for where it comes from',
    async (name) => {
      const value = name === 'Forwarded' ? 'for=10.1.2.3' : '10.1.2.3';
      expect((await ask(await start(['10.0.0.0/8']), { ...ada, [name]: value })).status).toBe(401);
    },
  );

  it.each(['X-Forwarded-User', 'X-Forwarded-Groups'] as const)(
    'believes nobody when %s comes twice',
    async (name) => {
      const page = await start();
      expect((await ask(page, { ...ada, [name]: ['u-mallory', ada[name]] })).status).toBe(401);
    },
  );

  it.each([{}, { 'X-Forwarded-User': '' }, { 'X-Forwarded-User': '  ' }])(
    'knows nobody without a user: %j',
    async (headers) => {
      const page = await start();
      const groups = { ...proxySecret, 'X-Forwarded-Groups': 'audit-admin:acme' };
      expect((await ask(page, { ...groups, ...headers })).status).toBe(401);
    },
  );

  it('compares groups whole', async () => {
    const page = await start();
    for (const group of [
      'audit-admin:acme2',
      'xaudit-admin:acme',
      'AUDIT-ADMIN:acme',
      'audit-admin:',
      'acme',
    ]) {
      expect((await ask(page, { ...ada, 'X-Forwarded-Groups': group })).status).toBe(403);
    }
  });

  const { 'X-Proxy-Secret': secret } = proxySecret;
  it.each([
    ['none', {}],
    ['an empty one', { 'X-Proxy-Secret': '' }],
    ['its beginning', { 'X-Proxy-Secret': secret.slice(0, -1) }],
    ['more than it', { 'X-Proxy-Secret': `${secret}x` }],
    ['it in another case', { 'X-Proxy-Secret': secret.toLowerCase() }],
    ['it twice', { 'X-Proxy-Secret': [secret, secret] }],
    ['it behind another', { 'X-Proxy-Secret': `x, ${secret}` }],
    ['it under another name', { 'X-Proxy_Secret': secret }],
  ])('believes nobody at the address of the proxy who sends %s for its secret', async (_what, headers) => {
    const page = await start();
    const { 'X-Proxy-Secret': _, ...without } = ada;
    expect((await ask(page, { ...without, ...(headers as Record<string, string>) })).status).toBe(401);
  });

  it('reads names in UTF-8 and in Latin-1', async () => {
    const page = await start();
    const utf8 = Buffer.from('Zoë 🦊').toString('latin1');
    expect((await ask(page, { ...ada, 'X-Forwarded-Preferred-Username': utf8 })).text).toContain('Zoë 🦊');
    expect((await ask(page, { ...ada, 'X-Forwarded-Preferred-Username': 'Zoë' })).text).toContain('Zoë');
  });
});

describe('with AUTH_MODE=local', () => {
  it.each(['localhost', 'localhost:8080', '127.0.0.1:9', '[::1]:8080', 'demo.localhost'])(
    'answers at %s',
    async (host) => {
      const page = await startPageUnderTest(postgres, { authenticator: makeLocalAuthenticator() });
      expect((await ask(page, { Host: host })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    '127.0.0.1.evil.example:8080',
    'localhost.evil.example',
    '10.0.0.1',
    '[::ffff:7f00:1]',
    '',
  ])('does not answer at %j, whose owner might have pointed it here', async (host) => {
    const page = await startPageUnderTest(postgres, { authenticator: makeLocalAuthenticator() });
    const { status, text } = await ask(page, { Host: host });
    expect(status).toBe(421);
    expect(text).not.toContain('acme');
  });
});

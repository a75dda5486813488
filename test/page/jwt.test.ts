/** AUTH_MODE=jwt: tokens of a real key set over HTTP. */
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { type JwtOptions, makeJwtAuthenticator } from '../../src/web/auth/jwt.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { migrateDatabase } from '../tools/database.ts';
import { type PageUnderTest, startPageUnderTest } from '../tools/pageUnderTest.ts';
import { usePostgres } from '../tools/postgres.ts';
import { startTokenIssuer, type TokenIssuer } from './authModes.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const admin = { sub: 'u-ada', name: 'Ada Lovelace', groups: ['audit-admin:acme'] };

async function start(
  options: Partial<JwtOptions> = {},
): Promise<{ issuer: TokenIssuer; page: PageUnderTest; ask(token: string): Promise<Response> }> {
  const issuer = await startTokenIssuer();
  const page = await startPageUnderTest(postgres, {
    authenticator: ({ log }) => makeJwtAuthenticator({ ...issuer.options, ...options, log }),
  });
  const header = options.header ?? 'authorization';
  const ask = (token: string) =>
    fetch(page.origin + logs, {
      headers: { [header]: header === 'authorization' ? `Bearer ${token}` : token },
    });
  return { issuer, page, ask };
}

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1_000) + fromNow;

it('lets the bearer of a valid token in, by name', async () => {
  const { issuer, ask } = await start();
  const response = await ask(await issuer.sign(admin));
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('Ada Lovelace');
});

describe('refuses a token', () => {
  it.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for somebody else', { aud: 'billing' }],
    ['without an audience', { aud: undefined }],
    ['that has expired', { exp: seconds(-60) }],
    ['without an expiry', { exp: undefined }],
    ['that is not valid yet', { nbf: seconds(120) }],
    ['without a subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
  ])('%s', async (_what, claims) => {
    const { issuer, ask } = await start();
    const response = await ask(await issuer.sign({ ...admin, ...claims }));
    expect(response.status).toBe(401);
    expect(await response.text()).not.toMatch(/Ada|iss|aud|claim/);
  });

  it('that is not signed', async () => {
    const { issuer, ask } = await start();
    const { issuer: iss, audience } = issuer.options;
    const claims = { ...admin, iss, aud: audience, exp: seconds(300) };
    expect((await ask(new UnsecuredJWT(claims).encode())).status).toBe(401);
  });

  it('whose secret is the public key', async () => {
    const { issuer, ask } = await start();
    const { issuer: iss, audience } = issuer.options;
    const token = await new SignJWT({ ...admin, iss, aud: audience, exp: seconds(300) })
      .setProtectedHeader({ alg: 'HS256', kid: 'key-0' })
      .sign(new TextEncoder().encode(await issuer.publicKeyPem()));
    expect((await ask(token)).status).toBe(401);
  });

  it('of an algorithm that is not taken', async () => {
    const { issuer, ask } = await start({ algorithms: ['RS256'] });
    expect((await ask(await issuer.sign(admin))).status).toBe(401);
  });

  it('of another key', async () => {
    const [mine, other] = [await start(), await startTokenIssuer()];
    expect((await mine.ask(await other.sign(admin))).status).toBe(401);
  });

  it('whose claims were changed', async () => {
    const { issuer, ask } = await start();
    const [head, , signature] = (await issuer.sign({ ...admin, groups: [] })).split('.');
    const [, claims] = (await issuer.sign(admin)).split('.');
    expect((await ask([head, claims, signature].join('.'))).status).toBe(401);
  });

  it.each(['', 'x', 'a.b.c', '..', 'null'])('that is none: %j', async (token) => {
    expect((await (await start()).ask(token)).status).toBe(401);
  });
});

it('takes a clock that is a little off', async () => {
  const { issuer, ask } = await start();
  expect((await ask(await issuer.sign({ ...admin, exp: seconds(-10) }))).status).toBe(200);
});

it.each(['audit-admin:acme', ['audit-admin:acme'], ['x', 5, null, 'audit-admin:acme']])(
  'reads groups written as %j',
  async (groups) => {
    const { issuer, ask } = await start();
    expect((await ask(await issuer.sign({ ...admin, groups }))).status).toBe(200);
  },
);

it.each([{ groups: undefined }, { groups: { acme: true } }, { groups: 7 }])(
  'takes somebody without groups for a member: %j',
  async (claims) => {
    const { issuer, ask } = await start();
    expect((await ask(await issuer.sign({ ...admin, ...claims }))).status).toBe(403);
  },
);

it.each([
  ['realm_access.roles', { realm_access: { roles: ['audit-admin:acme'] } }],
  ['https://example.com/groups', { 'https://example.com/groups': ['audit-admin:acme'] }],
])('finds groups at %s', async (groupsClaim, claims) => {
  const { issuer, ask } = await start({ groupsClaim });
  expect((await ask(await issuer.sign({ ...claims, sub: 'u-ada' }))).status).toBe(200);
});

it('takes the token from another header, with or without "Bearer"', async () => {
  const { issuer, ask } = await start({ header: 'x-product-token' });
  const token = await issuer.sign(admin);
  expect((await ask(token)).status).toBe(200);
  expect((await ask(`Bearer ${token}`)).status).toBe(200);
});

it('makes members of the super admin group admins of everything', async () => {
  const { issuer, ask } = await start({
    membership: { templates: [], superAdminGroup: 'platform' },
  });
  expect((await ask(await issuer.sign({ sub: 'u-root', groups: ['platform'] }))).status).toBe(200);
  expect((await ask(await issuer.sign({ sub: 'u-ada', groups: ['platform-x'] }))).status).toBe(403);
});

describe('keys', () => {
  it('are read once for many tokens', async () => {
    const { issuer, ask } = await start();
    for (let i = 0; i < 5; i += 1) expect((await ask(await issuer.sign(admin))).status).toBe(200);
    expect(issuer.fetches()).toBe(1);
  });

  it('may be rotated: a token of a new one is taken, of the old one no longer', async () => {
    const { issuer, ask } = await start();
    const old = await issuer.sign(admin);
    expect((await ask(old)).status).toBe(200);
    await issuer.rotate();
    const token = await issuer.sign(admin);
    await waitFor(async () => (await ask(token)).status === 200);
    expect((await ask(old)).status).toBe(401);
  });

  it.each(['error', 'html'] as const)(
    'that cannot be read let nobody in (%s), until they can',
    async (answer) => {
      const { issuer, page, ask } = await start();
      issuer.answerWith(answer);
      const token = await issuer.sign(admin);
      const response = await ask(token);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
      expect(await response.text()).toContain('cannot be checked at the moment');
      await ask(token);
      issuer.answerWith('keys');
      expect((await ask(token)).status).toBe(200);
      const told = page.log.filter((line) => line.includes('JWT_JWKS_URL'));
      expect(told).toHaveLength(2);
    },
  );
});

it('logs who asked, and never the token', async () => {
  const { issuer, page, ask } = await start();
  const token = await issuer.sign(admin);
  await (await ask(token)).text();
  const line = await waitFor(() => page.log.find((each) => each.includes('page: request')));
  expect(JSON.parse(line)).toMatchObject({
    viewer: 'u-ada',
    method: 'GET',
    route: '/organizations/:organization/audit-logs',
    status: '200',
    durationMs: expect.any(Number),
  });
  expect(page.log.join('')).not.toContain(token.slice(-20));
});

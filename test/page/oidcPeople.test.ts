/** AUTH_MODE=oidc with providers of many kinds: where the groups are, what the log says of it, and how the page introduces itself. */
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { CookieJar } from '../tools/cookieJar.ts';
import { migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type OidcPage, type OidcPageOptions, signIn, startOidcPage } from './oidcPage.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const admin = ['audit-admin:acme'];

async function start(options: OidcPageOptions = {}): Promise<OidcPage> {
  const page = await startOidcPage(postgres, options);
  await waitFor(() => page.log.some((line) => line.includes('the identity provider is there')));
  return page;
}

/** The last line of the log with this message. */
function lineOf(page: OidcPage, message: string): Record<string, unknown> {
  const line = page.log.findLast((each) => each.includes(`"msg":"page: ${message}`));
  return JSON.parse(line ?? '{}') as Record<string, unknown>;
}

describe('groups', () => {
  it.each([
    [
      'a path in the user info, beside the same claim in the ID token',
      { account: ['view'] },
      { roles: admin },
    ],
    ['null in the ID token', null, { roles: admin }],
    ['a number in the ID token', { roles: 7 }, { roles: admin }],
    ['the ID token, beside others in the user info', { roles: admin }, { roles: ['none'] }],
  ])('are found: %s', async (_where, idToken, userInfo) => {
    const page = await start({
      groupsClaim: 'realm_access.roles',
      people: {
        ada: {
          name: 'Ada Lovelace',
          groups: [],
          inIdToken: { realm_access: idToken },
          inUserInfo: { name: 'Ada Lovelace', realm_access: userInfo },
        },
      },
    });
    const { response } = await signIn(page, 'ada', logs);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Ada Lovelace');
  });

  it('are found under a name with dots, such as a client of Keycloak', async () => {
    const page = await start({
      groupsClaim: String.raw`realm_access.audit\.example\.com.roles`,
      people: {
        ada: {
          name: 'Ada',
          groups: [],
          inIdToken: { name: 'Ada', realm_access: { 'audit.example.com': { roles: admin } } },
        },
      },
    });
    expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  });

  it('of the ID token are enough when the user info fails', async () => {
    const people = { ada: { name: '', groups: admin, inIdToken: { groups: admin } } };
    const page = await start({ failsUserInfo: true, people });
    expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
    expect(page.provider.requests).toContain('/me');
    expect(lineOf(page, 'signed in')).toMatchObject({ groups: 1, err: { message: expect.any(String) } });
  });

  it('that only the user info has are missed when it fails', async () => {
    const page = await start({ failsUserInfo: true, onlyUserInfo: true });
    expect((await signIn(page, 'ada', logs)).response.status).toBeGreaterThanOrEqual(500);
  });

  it.each([
    [{ groups: 2, groupsFrom: 'ID token', organizations: 1 }, { groups: ['everybody', ...admin] }],
    [{ groups: 1, why: expect.stringContaining('fits ADMIN_GROUP') }, { groups: ['everybody'] }],
    [{ groups: 0, why: expect.stringContaining('empty list') }, { groups: [] }],
    [
      { groups: 0, groupsFrom: null, why: expect.stringMatching(/neither.*\(sub, name,.*user info \(sub/) },
      {},
    ],
    [
      { groups: 0, why: expect.stringContaining('more groups than the provider puts into a token') },
      { _claim_names: { groups: 'src1' } },
    ],
  ])('are counted in the log, with the reason for none: %j', async (expected, claims) => {
    const both = { name: 'Ada', ...claims };
    const people = { ada: { name: 'Ada', groups: [], inIdToken: both, inUserInfo: both } };
    const page = await start({ people });
    await signIn(page, 'ada', logs);
    expect(lineOf(page, 'signed in')).toMatchObject({ viewer: 'ada', ...expected });
  });
});

describe('the scope groups', () => {
  it.each([
    [true, 'openid profile email groups'],
    [false, 'openid profile email'],
  ])('is asked for only where it is listed: %s', async (hasGroupsScope, expected) => {
    const page = await start({ hasGroupsScope });
    const response = await new CookieJar().fetch(`${page.origin}/login`);
    expect(new URL(response.headers.get('location') ?? '').searchParams.get('scope')).toBe(expected);
    expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  });
});

it('sends its secret the other way when the provider refuses the first', async () => {
  const page = await start({ clientAuth: 'client_secret_post' });
  expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  const before = page.provider.requests.filter((path) => path === '/token').length;
  expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  // It remembers which way it was.
  expect([before, page.provider.requests.filter((path) => path === '/token').length]).toEqual([2, 3]);
});

it('keeps nobody out for a key that was rotated a moment ago', async () => {
  const page = await start();
  expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  await page.provider.rotateKey();
  expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
}, 30_000);

describe('the log', () => {
  it('has what the provider said, and the person does not', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const answer = { error: 'invalid_scope', error_description: 'No scope\u0007called groups' };
    const query = new URLSearchParams({ state, iss: page.provider.issuer, ...answer });
    const response = await jar.fetch(`${page.origin}/login/callback?${query}`);
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain('No scope');
    expect(lineOf(page, 'a sign-in failed')).toMatchObject({
      providerError: 'invalid_scope',
      providerErrorDescription: 'No scope called groups',
    });
  });

  it('names the issuer that an answer came from, if it is another', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ state, iss: 'https://other.example', code: 'x' });
    const response = await jar.fetch(`${page.origin}/login/callback?${query}`);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('calls itself by another name');
    expect(lineOf(page, 'a sign-in failed')).toMatchObject({
      foundIssuer: 'https://other.example',
      expectedIssuer: page.provider.issuer,
    });
  });

  it('names the issuer that the metadata name, and the page does not tell people to wait', async () => {
    const page = await startOidcPage(postgres, {
      issuer: (own) => own.replace('127.0.0.1', 'localhost'),
    });
    await waitFor(() => page.log.some((line) => line.includes('foundIssuer')));
    expect(lineOf(page, 'the identity provider calls itself')).toMatchObject({
      level: 'error',
      foundIssuer: page.provider.issuer,
    });
    const { response } = await new CookieJar().follow(page.origin + logs);
    expect(response.status).toBe(502);
    expect(await response.text()).toContain('calls itself by another name');
  });
});

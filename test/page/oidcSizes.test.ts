/** AUTH_MODE=oidc within the sizes that servers accept: cookies, addresses and tokens, straight and through a real nginx. */
import { request as sendRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { findFreePort } from '../../tools/freePort.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { CookieJar } from '../tools/cookieJar.ts';
import { migrateDatabase } from '../tools/database.ts';
import { arePackagesMissing } from '../tools/debianPackages.ts';
import { nginxPackages, startNginx } from '../tools/nginx.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type OidcPage, type OidcPageOptions, signIn, startOidcPage } from './oidcPage.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';
const manyGroups = Array.from({ length: 200 }, (_, n) => `cn=team-${n}\\,ou=groups,dc=example,dc=com`);
/** As a search over many actors and types has it: 5 KB. */
const longFilter = `${logs}?${new URLSearchParams(Array.from({ length: 120 }, (_, n) => ['actor', `Person Ä ${n} of the department`] as [string, string]))}`;

async function start(options: OidcPageOptions = {}): Promise<OidcPage> {
  const page = await startOidcPage(postgres, options);
  await waitFor(() => page.log.some((line) => line.includes('the identity provider is there')));
  return page;
}

/** Of everything that a browser sends to the page. */
function cookieBytes(jar: CookieJar, { origin }: OidcPage): number {
  return [...jar.cookies(origin)]
    .map(([name, value]) => name.length + value.length + 3)
    .reduce((a, b) => a + b, 0);
}

function countLogins(jar: CookieJar, { origin }: OidcPage): number {
  return [...jar.cookies(origin).keys()].filter((name) => name.includes('login-')).length;
}

async function signInAt(page: OidcPage, jar: CookieJar, path: string): Promise<URL> {
  const atProvider = await jar.follow(page.origin + path);
  const form = { login: 'ada', do: 'enter' };
  const { url, response } = await jar.follow(atProvider.url, { method: 'POST', form });
  expect(response.status).toBe(200);
  return url;
}

describe('unfinished logins', () => {
  it.each([
    ['short addresses', (n: number) => `${logs}?tab=${n}`],
    ['long filters', (n: number) => `${longFilter}&tab=${n}`],
  ])('leave three small cookies: %s', async (_what, pathOf) => {
    const page = await start();
    const jar = new CookieJar();
    for (let n = 0; n < 12; n += 1) await jar.follow(page.origin + pathOf(n));
    expect(countLogins(jar, page)).toBeLessThanOrEqual(3);
    expect(cookieBytes(jar, page)).toBeLessThan(3_000);
    expect((await signInAt(page, jar, pathOf(99))).searchParams.get('tab')).toBe('99');
  });

  it.each([
    { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
    { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
    { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'same-origin' },
    { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document', 'Sec-Purpose': 'prefetch' },
    { Accept: 'image/avif,image/webp,*/*;q=0.8' },
    { Accept: 'application/json' },
  ])('are begun by no request that is not a person who opens a page: %j', async (headers) => {
    const page = await start();
    const response = await new CookieJar().fetch(page.origin + logs, { headers });
    expect([response.status, response.headers.get('location')]).toEqual([401, null]);
    expect(response.headers.getSetCookie()).toEqual([]);
  });
});

describe('a long filter', () => {
  it('is there after the login, and nobody reads it in the database', async () => {
    const page = await start();
    const url = await signInAt(page, new CookieJar(), longFilter);
    expect(url.pathname + url.search).toBe(longFilter);
    const { rows } = await page.db.query<{ row: string }>(
      "select row_to_json(s)::text as row from audit.page_sessions s where sid like 'return:%'",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toMatch(/department|actor/);
  });

  it('is given up when too many people sign in at once, and the login is not', async () => {
    const page = await start();
    await page.db.query(
      `insert into audit.page_sessions (sid, sess, expire)
       select 'return:' || n, '{}', now() + interval '1 minute' from generate_series(1, 1000) n`,
    );
    const url = await signInAt(page, new CookieJar(), longFilter);
    expect(url.pathname + url.search).toBe(logs);
  });
});

it('says in words that the headers are too large', async () => {
  const page = await start();
  const response = await ask(page.origin, { Cookie: `x=${'y'.repeat(20_000)}` });
  expect(response.status).toBe(431);
  expect(response.text).toContain('Delete the cookies of this site');
  // It would delete those of neighbours too.
  expect(response.clearSiteData).toBeUndefined();
});

function ask(
  origin: string,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; text: string; clearSiteData: unknown }> {
  return new Promise((resolve, reject) => {
    const request = sendRequest(`${origin}${logs}`, { headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode, text, clearSiteData: response.headers['clear-site-data'] }),
      );
    });
    request.on('error', reject).end();
  });
}

describe('a logout', () => {
  it.each([
    ['a small ID token names it', [], true],
    ['a large one names the client alone', manyGroups, false],
  ])('after %s', async (_what, groups, hasHint) => {
    const people = { ada: { name: 'Ada', groups: ['audit-admin:acme', ...groups] } };
    const page = await start({ people });
    const { jar } = await signIn(page, 'ada', logs);
    const response = await jar.fetch(`${page.origin}/logout`, { method: 'POST' });
    const url = new URL((response.headers.get('refresh') ?? '').replace(/^0; url=/, ''));
    expect(url.searchParams.has('id_token_hint')).toBe(hasHint);
    expect(url.searchParams.get('client_id')).toBe(page.provider.clientId);
    expect(url.href.length).toBeLessThan(3_000);
    // The provider asks whether to end its session, so it knows who leaves.
    const asked = await jar.follow(url);
    expect(await asked.response.text()).toContain('Yes, sign me out');
  });
});

describe.skipIf(arePackagesMissing('nginx in front of the page', nginxPackages))('behind nginx', () => {
  async function startBehindNginx(): Promise<OidcPage> {
    const [port, listen] = await Promise.all([findFreePort(), findFreePort()]);
    await startNginx({ listen, upstream: port });
    const people = { ada: { name: 'Ada', groups: ['audit-admin:acme', ...manyGroups] } };
    return start({ port, publicOrigin: `http://127.0.0.1:${listen}`, people });
  }

  it('somebody with 200 groups signs in, after many logins that were given up, and out', async () => {
    const page = await startBehindNginx();
    const jar = new CookieJar();
    for (let n = 0; n < 25; n += 1) await jar.follow(`${page.origin}${logs}?tab=${n}`);
    expect((await signInAt(page, jar, `${logs}?tab=last`)).search).toBe('?tab=last');
    const response = await jar.fetch(`${page.origin}/logout`, { method: 'POST' });
    expect(response.status).toBe(200);
    expect(response.headers.get('refresh')).toContain(page.provider.issuer);
    expect((await jar.fetch(`${page.origin}/signed-out`)).status).toBe(200);
  });

  it('a long filter survives the login', async () => {
    const page = await startBehindNginx();
    const url = await signInAt(page, new CookieJar(), longFilter);
    expect(url.pathname + url.search).toBe(longFilter);
  });
});

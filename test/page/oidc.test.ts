/** AUTH_MODE=oidc over a real identity provider, without a browser; oidcBrowser.test.ts has one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { closeServer, listen } from '../../src/operations/listen.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { followSecret, type SecretSource } from '../../src/web/auth/oidc/seal.ts';
import { openSessions } from '../../src/web/auth/oidc/sessions.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { CookieJar } from '../tools/cookieJar.ts';
import { migrateDatabase } from '../tools/database.ts';
import { usePostgres } from '../tools/postgres.ts';
import { type OidcPage, signIn, startOidcPage } from './oidcPage.ts';

const postgres = usePostgres({ prepare: migrateDatabase });
const logs = '/organizations/acme/audit-logs';

/** Waits until the page has the provider's metadata. */
async function start(options: Parameters<typeof startOidcPage>[1] = {}): Promise<OidcPage> {
  const page = await startOidcPage(postgres, options);
  if (!options.isAway) await waitForProvider(page);
  return page;
}

async function waitForProvider(page: OidcPage): Promise<void> {
  await waitFor(() => page.log.some((line) => line.includes('the identity provider is there')));
}

async function countSessions({ db }: OidcPage): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select count(*)::int as n from audit.page_sessions');
  return rows[0]?.n ?? 0;
}

describe('a login', () => {
  it('leads back to the page that was asked for', async () => {
    const page = await start();
    const { response, url } = await signIn(page, 'ada', `${logs}?q=flow`);
    expect(response.status).toBe(200);
    expect(url.pathname + url.search).toBe(`${logs}?q=flow`);
    expect(await response.text()).toContain('Ada Lovelace');
  });

  it('takes name and groups from the user info when the ID token has none', async () => {
    const page = await start({ onlyUserInfo: true });
    const { response } = await signIn(page, 'ada', logs);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Ada Lovelace');
    expect(page.provider.requests).toContain('/me');
  });

  it('lets an admin of another organization see nothing', async () => {
    const page = await start();
    const { response } = await signIn(page, 'grace', logs);
    expect(response.status).toBe(403);
  });

  it('uses PKCE, state and nonce', async () => {
    const page = await start();
    const response = await new CookieJar().fetch(`${page.origin}/login`);
    const url = new URL(response.headers.get('location') ?? '');
    expect(url.origin).toBe(page.provider.issuer);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      redirect_uri: `${page.origin}/login/callback`,
    });
  });

  it('stores nothing for somebody who is not known yet', async () => {
    const page = await start();
    await new CookieJar().follow(page.origin);
    expect(await countSessions(page)).toBe(0);
  });

  it('begins a session under an id that was not known before', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    const first = jar.cookies(page.origin).get('sid');
    expect(first).toBeTruthy();
    // The same browser again: the old id is given up, and its row is gone.
    await page.db.query(
      "update audit.page_sessions set sess = jsonb_set(sess::jsonb, '{signedIn,signedInAtMs}', '0')",
    );
    const again = await jar.follow(page.origin + logs);
    expect(again.response.status).toBe(200);
    expect(jar.cookies(page.origin).get('sid')).not.toBe(first);
    expect(await countSessions(page)).toBe(1);
  });

  it('leaves few cookies behind, however many are given up', async () => {
    const page = await start();
    const jar = new CookieJar();
    for (let n = 0; n < 40; n++) await jar.fetch(`${page.origin}/login?return_to=${logs}?tab=${n}`);
    const left = [...jar.cookies(page.origin).keys()].filter((name) => name.startsWith('login-'));
    expect(left.length).toBeLessThanOrEqual(6);
    const last = await jar.fetch(`${page.origin}/login?return_to=${logs}?tab=last`);
    const atProvider = await jar.follow(last.headers.get('location') ?? '');
    const landed = await jar.follow(atProvider.url, { method: 'POST', form: { login: 'ada', do: 'enter' } });
    expect(landed.url.search).toBe('?tab=last');
  });

  it('works in two tabs at the same time', async () => {
    const page = await start();
    const jar = new CookieJar();
    const first = await jar.fetch(`${page.origin}/login?return_to=${logs}?tab=1`);
    const second = await jar.fetch(`${page.origin}/login?return_to=${logs}?tab=2`);
    const atProvider = await jar.follow(first.headers.get('location') ?? '');
    const one = await jar.follow(atProvider.url, { method: 'POST', form: { login: 'ada', do: 'enter' } });
    const two = await jar.follow(second.headers.get('location') ?? '');
    expect(one.url.search).toBe('?tab=1');
    expect(two.url.search).toBe('?tab=2');
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
  ])('never leads to %s', async (target) => {
    const page = await start();
    const { url } = await signIn(page, 'ada', `/login?return_to=${encodeURIComponent(target)}`);
    expect(url.origin).toBe(page.origin);
    expect(url.pathname).toBe(logs);
  });
});

describe('a login that fails says why', () => {
  it('when it was cancelled at the provider', async () => {
    const page = await start();
    const jar = new CookieJar();
    const atProvider = await jar.follow(page.origin + logs);
    const { response } = await jar.follow(atProvider.url, { method: 'POST', form: { do: 'cancel' } });
    expect(response.status).toBe(403);
    const text = await response.text();
    expect(text).toContain('The identity provider did not let you in');
    expect(text).toContain(`/login?return_to=${encodeURIComponent(logs)}`);
    expect(await countSessions(page)).toBe(0);
  });

  it('when it was begun in another browser', async () => {
    const page = await start();
    const jar = new CookieJar();
    const atProvider = await jar.follow(page.origin + logs);
    jar.cookies(page.origin).clear();
    const { response } = await jar.follow(atProvider.url, {
      method: 'POST',
      form: { login: 'ada', do: 'enter' },
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('This sign-in is no longer valid');
  });

  it('when the state is not the one it was begun with', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const forged = `${state.slice(0, 16)}${'x'.repeat(state.length - 16)}`;
    const response = await jar.fetch(`${page.origin}/login/callback?code=abc&state=${forged}`);
    expect(response.status).toBe(400);
    expect(page.provider.requests).not.toContain('/token');
  });

  it('when the code is used a second time', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const iss = encodeURIComponent(page.provider.issuer);
    const response = await jar.fetch(`${page.origin}/login/callback?code=used&state=${state}&iss=${iss}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('This sign-in is no longer valid');
    expect(page.provider.requests).toContain('/token');
  });

  it('when the provider does not know the secret of the page', async () => {
    const page = await start({ clientSecret: 'not the one' });
    const { response } = await signIn(page, 'ada');
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain('not the one');
    expect(page.log.join('')).toContain('a sign-in failed');
    expect(page.log.join('')).not.toContain('not the one');
  });

  it('and never shows what an address claims the reason to be', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ state, iss: page.provider.issuer, error: '<b>Call 555</b>' });
    const response = await jar.fetch(`${page.origin}/login/callback?${query}`);
    expect(response.status).toBe(502);
    expect(await response.text()).not.toMatch(/Call 555/);
  });
});

describe('an identity provider that is away', () => {
  it('keeps people from signing in, in words, until it is back', async () => {
    const page = await start({ isAway: true });
    const { response } = await new CookieJar().follow(page.origin + logs);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.text()).toContain('The identity provider does not answer');
    await page.provider.start();
    await waitForProvider(page);
    expect((await signIn(page, 'ada', logs)).response.status).toBe(200);
  });

  it('changes nothing for those who are signed in', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    await page.provider.stop();
    expect((await jar.fetch(page.origin + logs)).status).toBe(200);
  });

  it('in the middle of a login gives a sentence', async () => {
    const page = await start();
    const jar = new CookieJar();
    const begun = await jar.fetch(`${page.origin}/login`);
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? '';
    await page.provider.stop();
    const iss = encodeURIComponent(page.provider.issuer);
    const response = await jar.fetch(`${page.origin}/login/callback?code=abc&state=${state}&iss=${iss}`);
    expect(response.status).toBe(503);
  });
});

describe('a session', () => {
  async function expiry({ db }: OidcPage): Promise<number> {
    const { rows } = await db.query<{ expire: Date }>('select expire from audit.page_sessions');
    return rows[0]?.expire.getTime() ?? 0;
  }

  async function age({ db }: OidcPage, seconds: number): Promise<void> {
    await db.query("update audit.page_sessions set expire = expire - $1 * interval '1 second'", [seconds]);
  }

  it('ends when nobody did anything for its idle time', async () => {
    const page = await start({ idleMs: 600_000 });
    const { jar } = await signIn(page, 'ada');
    await age(page, 601);
    const response = await jar.fetch(page.origin + logs);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(`/login?return_to=${encodeURIComponent(logs)}`);
  });

  it('is prolonged by a request, and not by a page that refreshes itself', async () => {
    const page = await start({ idleMs: 600_000 });
    const { jar } = await signIn(page, 'ada');
    await age(page, 300);
    const aged = await expiry(page);
    expect((await jar.fetch(`${page.origin}${logs}/newer?live=1`)).status).toBe(204);
    expect(await expiry(page)).toBe(aged);
    expect((await jar.fetch(page.origin + logs)).status).toBe(200);
    await waitFor(async () => (await expiry(page)) > aged + 290_000);
  });

  it('ends at its absolute age, whatever was done', async () => {
    const page = await start({ absoluteMs: 3_600_000 });
    const { jar } = await signIn(page, 'ada');
    await page.db.query(
      `update audit.page_sessions set sess = jsonb_set(sess::jsonb, '{signedIn,signedInAtMs}', to_jsonb($1::bigint))`,
      [Date.now() - 3_600_001],
    );
    expect((await jar.fetch(page.origin + logs)).status).toBe(302);
  });

  it('is sealed in its row: nothing of it is read there, and nothing is put in', async () => {
    const page = await start();
    const [ada, grace] = [await signIn(page, 'ada'), await signIn(page, 'grace')];
    const { rows } = await page.db.query<{ sid: string; sess: string }>(
      'select sid, sess::text from audit.page_sessions order by sid',
    );
    const text = rows.map(({ sess }) => sess).join('\n');
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ|audit-admin|Lovelace|"ada"|globex/);
    // Whoever writes to the table has their own groups, of their own making, in a row of their own.
    const own = {
      id: 'bob',
      name: 'Bob',
      groups: ['audit-admin:acme'],
      idToken: null,
      signedInAtMs: Date.now(),
    };
    for (const signedIn of [own, { sealed: JSON.stringify(own), signedInAtMs: Date.now() }]) {
      await page.db.query(`update audit.page_sessions set sess = jsonb_set(sess::jsonb, '{signedIn}', $1)`, [
        signedIn,
      ]);
      expect((await ada.jar.fetch(page.origin + logs)).status).toBe(302);
    }
    // A row of somebody else's, moved under one's own id, does not open there.
    const [one, two] = rows;
    await page.db.query(
      'update audit.page_sessions set sess = case sid when $1 then $4::json when $2 then $3::json end',
      [one?.sid, two?.sid, one?.sess, two?.sess],
    );
    for (const { jar } of [ada, grace]) expect((await jar.fetch(page.origin + logs)).status).toBe(302);
  });

  it('goes on when the secret is replaced, as long as the old one is named', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    expect((await jar.fetch(page.origin + logs)).status).toBe(200);
    const old = new Secret('a secret of at least 32 characters');
    const next = new Secret('another secret of at least 32 characters');
    const request = { headers: { cookie: `sid=${jar.cookies(page.origin).get('sid')}` } };
    const read = async (previousSecret: Secret | null, secret: SecretSource = next) => {
      const log = makeLogger({ level: 'error', destination: { write: () => true } });
      const sessions = openSessions({
        db: page.db,
        secret,
        previousSecret,
        isSecure: false,
        idleMs: 60_000,
        log,
      });
      const app = express().use(sessions.middleware, (asked, response) => {
        response.json(sessions.read(asked)?.id ?? null);
      });
      const server = createServer(app);
      await listen(server, { host: '127.0.0.1', port: 0 });
      const { port } = server.address() as AddressInfo;
      const answer = await (await fetch(`http://127.0.0.1:${port}/`, request)).json();
      await closeServer(server, 0);
      sessions.stop();
      return answer;
    };
    expect(await read(null)).toBeNull();
    expect(await read(old)).toBe('ada');
    // A file that was replaced while the process runs.
    let value = old;
    const followed = followSecret(new Secret(() => value.reveal()));
    value = next;
    expect(await read(null, followed)).toBe('ada');
  });

  it('is worth nothing with a cookie that was not signed here', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    const cookies = jar.cookies(page.origin);
    const sid = decodeURIComponent(cookies.get('sid') ?? '');
    cookies.set('sid', encodeURIComponent(`${sid.slice(0, -4)}AAAA`));
    expect((await jar.fetch(page.origin + logs)).status).toBe(302);
  });

  it('has a cookie that no script and no other site gets', async () => {
    const page = await start();
    const jar = new CookieJar();
    const atProvider = await jar.follow(page.origin);
    const posted = await jar.fetch(atProvider.url, { method: 'POST', form: { login: 'ada', do: 'enter' } });
    let location = posted.headers.get('location') ?? '';
    while (!location.startsWith(`${page.origin}/login/callback`)) {
      const next = await jar.fetch(location);
      location = next.headers.get('location') ?? '';
    }
    const response = await jar.fetch(location);
    const [cookie = ''] = response.headers.getSetCookie().filter((line) => line.startsWith('sid='));
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('is not brought back by a request that overlaps its end', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    await Promise.all([
      ...Array.from({ length: 8 }, () => jar.fetch(page.origin + logs)),
      jar.fetch(`${page.origin}/logout`, { method: 'POST' }),
      ...Array.from({ length: 4 }, () => jar.fetch(page.origin + logs)),
    ]);
    expect(await countSessions(page)).toBe(0);
  });
});

describe('a logout', () => {
  it('ends the session here and then at the provider', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    const stolen = new Map(jar.cookies(page.origin));
    const response = await jar.fetch(`${page.origin}/logout`, { method: 'POST' });
    expect(response.status).toBe(200);
    const url = new URL((response.headers.get('refresh') ?? '').replace(/^0; url=/, ''));
    expect(url.origin + url.pathname).toBe(`${page.provider.issuer}/session/end`);
    expect(url.searchParams.get('post_logout_redirect_uri')).toBe(`${page.origin}/signed-out`);
    expect(url.searchParams.get('id_token_hint')).toBeTruthy();
    expect(await countSessions(page)).toBe(0);
    const thief = new CookieJar();
    for (const [name, value] of stolen) thief.cookies(page.origin).set(name, value);
    expect((await thief.fetch(page.origin + logs)).status).toBe(302);
  });

  it('is nothing that another site can cause', async () => {
    const page = await start();
    const { jar } = await signIn(page, 'ada');
    const response = await jar.fetch(`${page.origin}/logout`, {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    expect((await jar.fetch(page.origin + logs)).status).toBe(200);
  });
});

describe('somebody who is not signed in', () => {
  it.each([
    { 'HX-Request': 'true', 'HX-Request-Type': 'partial' },
    { 'HX-Request': 'true', 'HX-Request-Type': 'full' },
    { 'HX-History-Restore-Request': 'true', 'HX-Request-Type': 'full' },
  ])('is not sent anywhere by htmx, which could take a form from them: %o', async (headers) => {
    const page = await start();
    const response = await fetch(`${page.origin}${logs}?live=1&after=x`, {
      headers: { ...headers, 'HX-Current-URL': `${page.origin}${logs}?q=flow` },
    });
    expect(response.status).toBe(401);
    expect([response.headers.get('hx-redirect'), response.headers.get('set-cookie')]).toEqual([null, null]);
  });
});

it('answers in words when a statement fails, and shows nothing of it', async () => {
  const page = await start();
  const { jar } = await signIn(page, 'ada');
  await page.db.query('alter table audit.page_sessions rename to gone');
  const response = await jar.fetch(page.origin + logs);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toMatch(/relation|select|page_sessions|42P01/i);
});

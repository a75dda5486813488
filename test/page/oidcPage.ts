/** The page with AUTH_MODE=oidc, its identity provider, and somebody who signs in without a screen. */

import { Secret } from '../../src/model/secret.ts';
import { makeLoginCookies } from '../../src/web/auth/oidc/loginCookies.ts';
import { makeLongReturns } from '../../src/web/auth/oidc/longReturns.ts';
import { makeOidcAuthenticator } from '../../src/web/auth/oidc/oidcAuthenticator.ts';
import { openProvider } from '../../src/web/auth/oidc/provider.ts';
import { openSessions } from '../../src/web/auth/oidc/sessions.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { CookieJar } from '../tools/cookieJar.ts';
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  makeIdentityProvider,
  type Person,
} from '../tools/identityProvider.ts';
import { type PageUnderTest, type PageUnderTestOptions, startPageUnderTest } from '../tools/pageUnderTest.ts';
import type { TestPostgres } from '../tools/postgres.ts';

export interface OidcPage extends PageUnderTest {
  readonly provider: IdentityProvider;
  readonly people: Record<string, Person>;
}

export interface OidcPageOptions
  extends PageUnderTestOptions,
    Partial<Omit<IdentityProviderOptions, 'people' | 'pageOrigin'>> {
  readonly idleMs?: number;
  readonly absoluteMs?: number;
  /** Instead of the provider's own. */
  readonly clientSecret?: string;
  /** More people, or others of the same name. */
  readonly people?: Record<string, Person>;
  /** Default: `groups`. */
  readonly groupsClaim?: string;
  /** What the page is told, instead of the provider's own name. */
  readonly issuer?: (own: string) => string;
}

/** `ada` is admin of acme, `grace` of globex, `bob` of nothing. */
export async function startOidcPage(
  postgres: TestPostgres,
  options: OidcPageOptions = {},
): Promise<OidcPage> {
  const people: Record<string, Person> = {
    ada: { name: 'Ada Lovelace', groups: ['everybody', 'audit-admin:acme'] },
    grace: { name: 'Grace Hopper', groups: ['audit-admin:globex'] },
    bob: { name: 'Bob', groups: ['everybody'] },
    ...options.people,
  };
  const { idleMs = 1_800_000, absoluteMs = 43_200_000, ...rest } = options;
  const port = options.port ?? (await findFreePort());
  const pageOrigin = options.publicOrigin ?? `http://127.0.0.1:${port}`;
  const provider = await makeIdentityProvider({ ...options, people, pageOrigin });
  const page = await startPageUnderTest(postgres, {
    ...rest,
    port,
    authenticator: ({ db, log, origin }) => {
      const secret = new Secret('a secret of at least 32 characters');
      return makeOidcAuthenticator(
        {
          publicOrigin: origin,
          scopes: 'openid profile email groups',
          groupsClaim: options.groupsClaim ?? 'groups',
          sessionAbsoluteMs: absoluteMs,
          membership: { templates: [{ prefix: 'audit-admin:', suffix: '' }], superAdminGroup: null },
          log,
        },
        {
          provider: openProvider({
            issuer: new URL(options.issuer?.(provider.issuer) ?? provider.issuer),
            clientId: provider.clientId,
            clientSecret: new Secret(options.clientSecret ?? provider.clientSecret),
            log,
          }),
          sessions: openSessions({ db, secret, isSecure: false, idleMs, log }),
          loginCookies: makeLoginCookies(secret, false),
          longReturns: makeLongReturns(db, secret),
        },
      );
    },
  });
  return { ...page, provider, people };
}

/** Asks for `path`, signs in as `login` at the provider, and comes back. */
export async function signIn(
  page: OidcPage,
  login: string,
  path = '/',
): Promise<{ jar: CookieJar; response: Response; url: URL }> {
  const jar = new CookieJar();
  const atProvider = await jar.follow(page.origin + path);
  const landed = await jar.follow(atProvider.url, { method: 'POST', form: { login, do: 'enter' } });
  return { jar, ...landed };
}

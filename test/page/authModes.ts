/** The page in each mode of AUTH_MODE, with the four people that every route is asked as. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { closeServer, listen } from '../../src/operations/listen.ts';
import { type JwtOptions, makeJwtAuthenticator } from '../../src/web/auth/jwt.ts';
import { makeLocalAuthenticator } from '../../src/web/auth/local.ts';
import { makeHeadersAuthenticator } from '../../src/web/auth/proxyHeaders.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { type PageUnderTest, type PageUnderTestOptions, startPageUnderTest } from '../tools/pageUnderTest.ts';
import type { TestPostgres } from '../tools/postgres.ts';
import { signIn, startOidcPage } from './oidcPage.ts';

/** Of `acme`: `other` is admin of another organization, `member` of none. */
export type Who = 'anonymous' | 'member' | 'other' | 'admin';

export interface ModePage extends PageUnderTest {
  /** Of requests by this person; undefined: the mode knows no such person. */
  headersOf(who: Who): Promise<Record<string, string> | undefined>;
}

type Start = (postgres: TestPostgres, options: PageUnderTestOptions) => Promise<ModePage>;

const membership = { templates: [{ prefix: 'audit-admin:', suffix: '' }], superAdminGroup: null };

const people: Record<Exclude<Who, 'anonymous'>, { id: string; groups: string[] }> = {
  member: { id: 'u-bob', groups: ['everybody', 'audit-admin:'] },
  other: { id: 'u-grace', groups: ['audit-admin:globex', 'audit-admin:acme-two', 'acme'] },
  admin: { id: 'u-ada', groups: ['everybody', 'audit-admin:acme'] },
};

export const modes: Record<'local' | 'headers' | 'jwt' | 'oidc', Start> = {
  async local(postgres, options) {
    const page = await startPageUnderTest(postgres, { ...options, authenticator: makeLocalAuthenticator() });
    return { ...page, headersOf: async (who) => (who === 'admin' ? {} : undefined) };
  },

  async headers(postgres, options) {
    const authenticator = makeHeadersAuthenticator({ ...headersOptions, trustedProxies: ['127.0.0.1/32'] });
    const page = await startPageUnderTest(postgres, { ...options, authenticator });
    return {
      ...page,
      async headersOf(who) {
        if (who === 'anonymous') return {};
        const { id, groups } = people[who];
        return { ...proxySecret, 'X-Forwarded-User': id, 'X-Forwarded-Groups': groups.join(',') };
      },
    };
  },

  async jwt(postgres, options) {
    const issuer = await startTokenIssuer();
    const page = await startPageUnderTest(postgres, {
      ...options,
      authenticator: ({ log }) => makeJwtAuthenticator({ ...issuer.options, log }),
    });
    return {
      ...page,
      async headersOf(who) {
        if (who === 'anonymous') return {};
        const { id, groups } = people[who];
        return { Authorization: `Bearer ${await issuer.sign({ sub: id, groups })}` };
      },
    };
  },

  async oidc(postgres, options) {
    const page = await startOidcPage(postgres, options);
    await waitFor(() => page.log.some((line) => line.includes('the identity provider is there')));
    const logins = { member: 'bob', other: 'grace', admin: 'ada' };
    return {
      ...page,
      async headersOf(who) {
        if (who === 'anonymous') return {};
        const { jar } = await signIn(page, logins[who]);
        const cookies = [...jar.cookies(page.origin)].map(([name, value]) => `${name}=${value}`);
        return { Cookie: cookies.join('; ') };
      },
    };
  },
};

/** What the proxy sends with every request. */
export const proxySecret = { 'X-Proxy-Secret': 'k4VnJ8sQ2xYt6RzWb1LmPc9GdHf3TaUe' };

export const headersOptions = {
  proxySecret: new Secret(proxySecret['X-Proxy-Secret']),
  proxySecretHeader: 'x-proxy-secret',
  userHeader: 'x-forwarded-user',
  nameHeader: 'x-forwarded-preferred-username',
  groupsHeader: 'x-forwarded-groups',
  membership,
};

export interface TokenIssuer {
  readonly options: Omit<JwtOptions, 'log'>;
  /** By the key of the moment; valid for five minutes unless the claims say otherwise. */
  sign(claims: Record<string, unknown>, header?: { kid?: string }): Promise<string>;
  /** Signs with a new key from now on, which is alone in the key set. */
  rotate(): Promise<void>;
  /** For the attack that signs with it as if it were a secret. */
  publicKeyPem(): Promise<string>;
  answerWith(answer: 'keys' | 'error' | 'html'): void;
  readonly fetches: () => number;
}

/** A product that signs tokens, with its key set over HTTP; stopped with the test. */
export async function startTokenIssuer(): Promise<TokenIssuer> {
  let answer: 'keys' | 'error' | 'html' = 'keys';
  let fetches = 0;
  let number = 0;
  let pair = await generateKeyPair('ES256', { extractable: true });
  let key = { ...(await exportJWK(pair.publicKey)), kid: 'key-0', alg: 'ES256' };
  const server = createServer((_request, response) => {
    fetches += 1;
    if (answer === 'error') response.writeHead(500).end();
    else if (answer === 'html') response.end('<!doctype html><title>Sign in</title>');
    else response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [key] }));
  });
  const error = await listen(server, { host: '127.0.0.1', port: 0 });
  if (error !== null) throw error;
  onTestFinished(() => closeServer(server, 0));
  const issuer = 'https://product.example.com';
  const audience = 'audit-export';
  return {
    options: {
      jwksUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`),
      issuer,
      audience,
      header: 'authorization',
      groupsClaim: 'groups',
      algorithms: ['ES256'],
      membership,
    },
    sign(claims, header = {}) {
      const seconds = Math.floor(Date.now() / 1_000);
      return new SignJWT({ iss: issuer, aud: audience, exp: seconds + 300, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: key.kid, ...header })
        .sign(pair.privateKey);
    },
    async rotate() {
      number += 1;
      pair = await generateKeyPair('ES256', { extractable: true });
      key = { ...(await exportJWK(pair.publicKey)), kid: `key-${number}`, alg: 'ES256' };
    },
    publicKeyPem: () => exportSPKI(pair.publicKey),
    answerWith(next) {
      answer = next;
    },
    fetches: () => fetches,
  };
}

import { describe, expect, test } from 'vitest';
import { isLoopbackName } from './loopback.ts';
import { type Environment, readSettings } from './readSettings.ts';

function read(env: Environment) {
  return readSettings({ DATABASE_URL: 'postgres://collector@db/flows', ...env }, () => '');
}

function problemsOf(env: Environment): readonly string[] {
  const result = read(env);
  return result.ok ? [] : result.problems;
}

const oidc = {
  AUTH_MODE: 'oidc',
  PUBLIC_URL: 'https://audit.example.com',
  OIDC_ISSUER: 'https://login.example.com/realms/main',
  OIDC_CLIENT_ID: 'audit-export',
  SESSION_SECRET: '0123456789abcdef0123456789abcdef',
};
const jwt = {
  AUTH_MODE: 'jwt',
  JWT_JWKS_URL: 'https://product.example.com/jwks',
  JWT_ISSUER: 'product',
  JWT_AUDIENCE: 'audit',
};

const headers = {
  AUTH_MODE: 'headers',
  TRUSTED_PROXIES: '10.1.2.3/32',
  PROXY_SECRET: '0123456789abcdef0123456789abcdef',
};

test.each<[string, Environment]>([
  ['oidc', oidc],
  [
    'oidc on this machine',
    { ...oidc, PUBLIC_URL: 'http://localhost:8080', OIDC_ISSUER: 'http://[::1]:9000' },
  ],
  ['jwt', jwt],
  ['headers', { ...headers, TRUSTED_PROXIES: '10.1.2.3,10.0.7.0/24,::1,fd00:7::/64' }],
  ['local', { AUTH_MODE: 'local', PAGE_ADDRESS: '[::1]:8080' }],
  ['no page', { PAGE_ADDRESS: 'off' }],
  ['no page, though a mode is chosen', { PAGE_ADDRESS: 'off', AUTH_MODE: 'oidc' }],
])('needs no more than this: %s', (_name, env) => {
  expect(problemsOf(env)).toEqual([]);
});

test('says all that a mode lacks at once', () => {
  expect(problemsOf({ AUTH_MODE: 'oidc' })).toEqual([
    'AUTH_MODE is "oidc", but PUBLIC_URL is not set: set it to the address at which browsers reach the page, such as https://audit.example.com, or choose another AUTH_MODE.',
    'AUTH_MODE is "oidc", but OIDC_ISSUER is not set: set it to the URL of the identity provider, such as https://login.example.com, or choose another AUTH_MODE.',
    'AUTH_MODE is "oidc", but OIDC_CLIENT_ID is not set: set it to the client ID of the page at the identity provider, or choose another AUTH_MODE.',
    'AUTH_MODE is "oidc", but SESSION_SECRET is not set: set it to at least 32 random characters (generate them with openssl rand -base64 32), or choose another AUTH_MODE.',
  ]);
  expect(problemsOf({ AUTH_MODE: 'jwt' })).toHaveLength(3);
  expect(problemsOf({ AUTH_MODE: 'headers' })).toHaveLength(2);
  expect(problemsOf({})).toEqual([expect.stringMatching(/^AUTH_MODE is not set/)]);
});

test.each<[Environment, RegExp]>([
  [
    { AUTH_MODE: 'local', PAGE_ADDRESS: '0.0.0.0:8080' },
    /^AUTH_MODE is "local".*PAGE_ADDRESS is on "0\.0\.0\.0"/,
  ],
  [{ ...oidc, PUBLIC_URL: 'http://audit.example.com' }, /^PUBLIC_URL is "http:.*use https/],
  [{ ...oidc, PUBLIC_URL: 'https://audit.example.com/logs' }, /^PUBLIC_URL is .*without a path/],
  [{ ...oidc, OIDC_ISSUER: 'http://login.example.com' }, /^OIDC_ISSUER is .*https URL/],
  [{ ...oidc, OIDC_ISSUER: 'https://u:p@login.example.com' }, /^OIDC_ISSUER is .*without user info/],
  [{ ...oidc, OIDC_SCOPES: 'profile' }, /^OIDC_SCOPES is "profile", without "openid"/],
  [
    { ...oidc, SESSION_IDLE_MS: '7200000', SESSION_ABSOLUTE_MS: '3600000' },
    /^SESSION_IDLE_MS is 7200000, more than/,
  ],
  [
    { ...jwt, JWT_ALGORITHMS: 'RS256,HS256' },
    /^JWT_ALGORITHMS is .*"HS256" in it is not a public-key signature algorithm/,
  ],
  [{ ...jwt, JWT_ALGORITHMS: 'none' }, /^JWT_ALGORITHMS is "none"/],
  [{ ...jwt, ADMIN_GROUP: 'admins' }, /^ADMIN_GROUP is "admins": "admins" in it must hold \{organization\}/],
  [{ ...headers, TRUSTED_PROXIES: '10.0.0.0/8' }, /^TRUSTED_PROXIES holds 10\.0\.0\.0\/8, .*wider than \/24/],
  [{ ...headers, TRUSTED_PROXIES: '10.0.0.0/23,::1' }, /^TRUSTED_PROXIES holds 10\.0\.0\.0\/23/],
  [{ ...headers, TRUSTED_PROXIES: '0.0.0.0/0' }, /^TRUSTED_PROXIES holds 0\.0\.0\.0\/0/],
  [{ ...headers, TRUSTED_PROXIES: 'fd00::/8' }, /^TRUSTED_PROXIES holds fd00::\/8, .*wider than \/64/],
  [{ ...headers, TRUSTED_PROXIES: '::/0' }, /^TRUSTED_PROXIES holds ::\/0/],
  [{ ...headers, PROXY_SECRET: '' }, /^AUTH_MODE is "headers", but PROXY_SECRET is not set/],
  [{ ...headers, PROXY_SECRET: 'short' }, /^PROXY_SECRET cannot be used: it must be at least 32/],
  [{ ...jwt, JWT_HEADER: 'X Token' }, /^JWT_HEADER is "X Token": it must be the name of a header/],
])('refuses %o', (env, sentence) => {
  expect(problemsOf(env)).toEqual([expect.stringMatching(sentence)]);
});

test('never prints a secret that is too short', () => {
  const [problem, ...more] = problemsOf({ ...oidc, SESSION_SECRET: 'hunter2' });
  expect(problem).toMatch(/^SESSION_SECRET cannot be used: it must be at least 32 characters long/);
  expect(problem).not.toContain('hunter2');
  expect(more).toEqual([]);
});

test('reads several group templates', () => {
  const result = read({ ...jwt, ADMIN_GROUP: '{organization}:admin, cn={organization}' });
  expect(result.ok && result.settings.adminGroups).toEqual([
    { prefix: '', suffix: ':admin' },
    { prefix: 'cn=', suffix: '' },
  ]);
});

test('reads the names of LDAP, whose commas are escaped, and keeps other backslashes', () => {
  const written = String.raw`cn={organization}\,ou=audit\,dc=example, DOMAIN\audit-{organization},end-{organization}\\,x{organization}`;
  const result = read({ ...jwt, ADMIN_GROUP: written });
  expect(result.ok && result.settings.adminGroups).toEqual([
    { prefix: 'cn=', suffix: ',ou=audit,dc=example' },
    { prefix: String.raw`DOMAIN\audit-`, suffix: '' },
    { prefix: 'end-', suffix: '\\' },
    { prefix: 'x', suffix: '' },
  ]);
});

describe('a loopback name', () => {
  test.each(['localhost', 'LOCALHOST', 'acme.localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]'])(
    'is %s',
    (name) => {
      expect(isLoopbackName(name)).toBe(true);
    },
  );

  test.each(['0.0.0.0', '10.0.0.1', '127.0.0.1.nip.io', 'localhost.example.com', 'notlocalhost', '::', ''])(
    'is not %s',
    (name) => {
      expect(isLoopbackName(name)).toBe(false);
    },
  );
});

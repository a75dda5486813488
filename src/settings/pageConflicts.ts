/** Rules between two settings of the page. Without a page there are none. */
import { isLoopbackName } from './loopback.ts';
import { pageSettingsTable } from './pageTable.ts';
import { isSafeTransport } from './pageValues.ts';
import { type AuthMode, authModes, type ListenAddress, type Settings } from './settings.ts';

type Values = ReadonlyMap<keyof Settings, unknown>;

/** What a mode cannot do without, and what it is for. */
const needs = {
  oidc: {
    publicOrigin: 'where browsers reach the page, such as https://audit.example.com',
    oidcIssuer: 'the identity provider, such as https://login.example.com',
    oidcClientId: 'the name of this page at the identity provider',
    sessionSecret: 'at least 32 random characters, such as those of: openssl rand -base64 32',
  },
  jwt: {
    jwtJwksUrl: 'the URL of the keys that sign the tokens',
    jwtIssuer: 'what iss of a token must be',
    jwtAudience: 'what aud of a token must be',
  },
  headers: {
    trustedProxies: 'the networks of the proxies that may say who asks, such as 10.1.2.3/32',
    proxySecret:
      'at least 32 random characters that the proxy sends with every request (make them with: openssl rand -base64 32)',
  },
  local: {},
} as const satisfies Record<AuthMode, Partial<Record<keyof typeof pageSettingsTable, string>>>;

/** One sentence each; a setting that already has a problem of its own is in no other. */
export function findPageConflicts(values: Values): string[] {
  const address = values.get('pageAddress') as ListenAddress | null | undefined;
  const mode = values.get('authMode') as AuthMode | null | undefined;
  if (address === null || mode === undefined) return [];
  if (mode === null) {
    return [
      `AUTH_MODE is not set, and there is no default for who may read audit logs: set it to one of ${authModes.join(', ')}, or set PAGE_ADDRESS=off to run without the page.`,
    ];
  }
  const problems = Object.entries(needs[mode])
    .filter(([key]) => isMissing(values.get(key as keyof Settings)))
    .map(([key, what]) => {
      const { name } = pageSettingsTable[key as keyof typeof pageSettingsTable];
      return `AUTH_MODE is "${mode}", but ${name} is not set: put ${what} into ${name}, or choose another AUTH_MODE.`;
    });
  if (mode === 'local' && address !== undefined && !isLoopbackName(address.host)) {
    problems.push(
      `AUTH_MODE is "local", which lets in whoever reaches the page, but PAGE_ADDRESS is on ${JSON.stringify(address.host)}: set PAGE_ADDRESS to a loopback address such as 127.0.0.1:8080, or choose another AUTH_MODE.`,
    );
  }
  if (mode === 'headers') problems.push(...findWideNetworks(values));
  if (mode === 'oidc') problems.push(...findOidcConflicts(values));
  return problems;
}

/** Whoever has an address in them and the secret is everybody: that is to be few. */
function findWideNetworks(values: Values): string[] {
  const networks = (values.get('trustedProxies') ?? []) as readonly string[];
  return networks
    .filter((network) => Number(network.split('/')[1]) < (network.includes(':') ? 64 : 24))
    .map(
      (network) =>
        `TRUSTED_PROXIES holds ${network}, which is wider than ${network.includes(':') ? '/64' : '/24'} and so trusts more than proxies: name the addresses of the proxies alone, such as ${network.includes(':') ? 'fd00::1/128' : '10.1.2.3/32'}, or choose another AUTH_MODE.`,
    );
}

function isMissing(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function findOidcConflicts(values: Values): string[] {
  const problems: string[] = [];
  const publicOrigin = values.get('publicOrigin');
  if (typeof publicOrigin === 'string' && !isSafeTransport(new URL(publicOrigin))) {
    problems.push(
      `PUBLIC_URL is ${JSON.stringify(publicOrigin)}, but with AUTH_MODE=oidc a session must not be readable on the way: reach the page by https (http only on a loopback address).`,
    );
  }
  const scopes = values.get('oidcScopes');
  if (typeof scopes === 'string' && !scopes.split(' ').includes('openid')) {
    problems.push(
      `OIDC_SCOPES is ${JSON.stringify(scopes)}, without "openid": add it, or there is no login.`,
    );
  }
  const [idle, absolute] = [values.get('sessionIdleMs'), values.get('sessionAbsoluteMs')];
  if (typeof idle === 'number' && typeof absolute === 'number' && idle > absolute) {
    problems.push(
      `SESSION_IDLE_MS is ${idle}, more than SESSION_ABSOLUTE_MS, which is ${absolute}: lower SESSION_IDLE_MS or raise SESSION_ABSOLUTE_MS.`,
    );
  }
  return problems;
}

/** Rules between two settings of the page; none of them apply without a page. */
import { isLoopbackName } from './loopback.ts';
import { pageSettingsTable } from './pageTable.ts';
import { type AuthMode, authModes, isSafeTransport } from './pageValues.ts';
import type { Settings } from './table.ts';
import type { ListenAddress } from './values.ts';

type Values = ReadonlyMap<keyof Settings, unknown>;

/** The settings each mode needs, and what to set each of them to. The chart checks the same before it installs. */
export const modeNeeds = {
  oidc: {
    publicOrigin: 'the address at which browsers reach the page, such as https://audit.example.com',
    oidcIssuer: 'the URL of the identity provider, such as https://login.example.com',
    oidcClientId: 'the client ID of the page at the identity provider',
    sessionSecret: 'at least 32 random characters (generate them with openssl rand -base64 32)',
  },
  jwt: {
    jwtJwksUrl: 'the URL of the public keys (JWKS) that verify the tokens',
    jwtIssuer: 'the iss that a token must have',
    jwtAudience: 'the aud that a token must have',
  },
  headers: {
    trustedProxies: 'the networks of the proxies that may say who the user is, such as 10.1.2.3/32',
    proxySecret:
      'at least 32 random characters that the proxy sends with every request (generate them with openssl rand -base64 32)',
  },
  local: {},
} as const satisfies Record<AuthMode, Partial<Record<keyof typeof pageSettingsTable, string>>>;

/** One sentence each. A setting that already has a problem of its own breaks no other rule. */
export function findPageConflicts(values: Values): string[] {
  const address = values.get('pageAddress') as ListenAddress | null | undefined;
  const mode = values.get('authMode') as AuthMode | null | undefined;
  if (address === null || mode === undefined) return [];
  if (mode === null) {
    return [
      `AUTH_MODE is not set, and there is no default for who may read audit logs: set it to one of ${authModes.join(', ')}, or set PAGE_ADDRESS=off to run without the page.`,
    ];
  }
  const problems = Object.entries(modeNeeds[mode])
    .filter(([key]) => isMissing(values.get(key as keyof Settings)))
    .map(([key, what]) => {
      const { name } = pageSettingsTable[key as keyof typeof pageSettingsTable];
      return `AUTH_MODE is "${mode}", but ${name} is not set: set it to ${what}, or choose another AUTH_MODE.`;
    });
  if (mode === 'local' && address !== undefined && !isLoopbackName(address.host)) {
    problems.push(
      `AUTH_MODE is "local", which lets in anyone who can reach the page, but PAGE_ADDRESS is on ${JSON.stringify(address.host)}: set PAGE_ADDRESS to a loopback address such as 127.0.0.1:8080, or choose another AUTH_MODE.`,
    );
  }
  if (mode === 'headers') problems.push(...findWideNetworks(values));
  if (mode === 'oidc') problems.push(...findOidcConflicts(values));
  return problems;
}

/** Anyone with the proxy secret and an address in these networks can be any user, so the networks must be narrow. */
function findWideNetworks(values: Values): string[] {
  const networks = (values.get('trustedProxies') ?? []) as readonly string[];
  return networks
    .filter((network) => Number(network.split('/')[1]) < (network.includes(':') ? 64 : 24))
    .map(
      (network) =>
        `TRUSTED_PROXIES holds ${network}, which is wider than ${network.includes(':') ? '/64' : '/24'} and so trusts more than the proxies: name only the addresses of the proxies, such as ${network.includes(':') ? 'fd00::1/128' : '10.1.2.3/32'}, or choose another AUTH_MODE.`,
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
      `PUBLIC_URL is ${JSON.stringify(publicOrigin)}, but with AUTH_MODE=oidc no one on the network may read a session: use https (http only on a loopback address).`,
    );
  }
  const scopes = values.get('oidcScopes');
  if (typeof scopes === 'string' && !scopes.split(' ').includes('openid')) {
    problems.push(
      `OIDC_SCOPES is ${JSON.stringify(scopes)}, without "openid": add it, because no one can sign in without it.`,
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

/** Makes the authenticator for AUTH_MODE. */
import type { Database } from '../../database/pool.ts';
import type { Settings } from '../../settings/table.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Authenticator } from './authenticator.ts';
import { makeJwtAuthenticator } from './jwt.ts';
import { makeLocalAuthenticator } from './local.ts';
import type { MembershipRules } from './membership.ts';
import { makeLoginCookies } from './oidc/loginCookies.ts';
import { makeLongReturns } from './oidc/longReturns.ts';
import { makeOidcAuthenticator } from './oidc/oidcAuthenticator.ts';
import { openProvider } from './oidc/provider.ts';
import { followSecret } from './oidc/seal.ts';
import { openSessions } from './oidc/sessions.ts';
import { makeHeadersAuthenticator } from './proxyHeaders.ts';

interface Parts {
  /** The page's own connections. */
  readonly db: Database;
  readonly log: Logger;
}

/**
 * Waits for nothing outside the process: an identity provider that is away does not delay the start.
 *
 * @throws Error one sentence that names the setting.
 */
export function makeAuthenticator(settings: Settings, parts: Parts): Authenticator {
  const membership: MembershipRules = {
    templates: settings.adminGroups,
    superAdminGroup: settings.superAdminGroup,
  };
  switch (settings.authMode) {
    case null:
      throw new Error('AUTH_MODE is not set.');
    case 'local':
      return makeLocalAuthenticator();
    case 'headers':
      return makeHeadersAuthenticator({ ...settings, membership });
    case 'jwt':
      return makeJwtAuthenticator({
        jwksUrl: needed(settings.jwtJwksUrl),
        issuer: needed(settings.jwtIssuer),
        audience: needed(settings.jwtAudience),
        header: settings.jwtHeader,
        groupsClaim: settings.jwtGroupsClaim,
        algorithms: settings.jwtAlgorithms,
        membership,
        log: parts.log,
      });
    case 'oidc':
      return makeOidc(settings, membership, parts);
  }
}

function makeOidc(settings: Settings, membership: MembershipRules, { db, log }: Parts): Authenticator {
  const publicOrigin = needed(settings.publicOrigin);
  const secret = followSecret(needed(settings.sessionSecret));
  const previousSecret = settings.previousSessionSecret;
  const isSecure = publicOrigin.startsWith('https:');
  return makeOidcAuthenticator(
    {
      publicOrigin,
      scopes: settings.oidcScopes,
      groupsClaim: settings.oidcGroupsClaim,
      sessionAbsoluteMs: settings.sessionAbsoluteMs,
      trustedProxies: settings.trustedProxies,
      membership,
      log,
    },
    {
      provider: openProvider({
        issuer: needed(settings.oidcIssuer),
        clientId: needed(settings.oidcClientId),
        clientSecret: settings.oidcClientSecret,
        log,
      }),
      sessions: openSessions({ db, secret, previousSecret, isSecure, idleMs: settings.sessionIdleMs, log }),
      loginCookies: makeLoginCookies(secret, isSecure, previousSecret),
      longReturns: makeLongReturns(db, secret),
    },
  );
}

/** pageConflicts.ts has checked that the settings hold what each mode needs; null is a bug. */
function needed<T>(value: T | null): T {
  if (value === null) throw new Error('A setting that AUTH_MODE needs is missing.');
  return value;
}

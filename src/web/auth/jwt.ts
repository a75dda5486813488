/** `AUTH_MODE=jwt`: the product, or a gateway, sends a signed token with every request. There is no session. */
import type { Request } from 'express';
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Logger } from '../../telemetry/logger.ts';
import { type Authenticator, type Identity, refuse } from './authenticator.ts';
import { readGroups, readName } from './claims.ts';
import { administersOf, type MembershipRules } from './membership.ts';

export interface JwtOptions {
  readonly jwksUrl: URL;
  readonly issuer: string;
  readonly audience: string;
  /** In lower case. */
  readonly header: string;
  readonly groupsClaim: string;
  readonly algorithms: readonly string[];
  readonly membership: MembershipRules;
  readonly log: Logger;
}

/** How far the clocks of two machines may differ. */
const clockToleranceSeconds = 30;
/** A token with an unknown key causes the keys to be read again, but no more often than this. */
const refetchPauseMs = 5_000;

export function makeJwtAuthenticator(options: JwtOptions): Authenticator {
  const { jwksUrl, issuer, audience, header, algorithms, log } = options;
  const keys = createRemoteJWKSet(jwksUrl, { cooldownDuration: refetchPauseMs });
  let isAway = false;
  const setAway = (away: boolean, cause?: unknown): void => {
    if (away === isAway) return;
    isAway = away;
    if (away) log.error({ err: cause }, 'page: the keys of JWT_JWKS_URL cannot be read, so nobody is let in');
    else log.info('page: the keys of JWT_JWKS_URL can be read again');
  };
  const findKey: JWTVerifyGetKey = async (protectedHeader, token) => {
    try {
      const key = await keys(protectedHeader, token);
      setAway(false);
      return key;
    } catch (error) {
      if (isAboutToken(error)) throw error;
      setAway(true, error);
      throw new KeysUnavailable();
    }
  };

  return {
    middleware: null,
    async identify(request): Promise<Identity> {
      const token = findToken(request, header);
      if (token === null) return refuse('Open this page from your product, which signs you in.');
      try {
        const { payload } = await jwtVerify(token, findKey, {
          issuer,
          audience,
          algorithms: [...algorithms],
          clockTolerance: clockToleranceSeconds,
          requiredClaims: ['sub', 'exp'],
        });
        if (typeof payload.sub !== 'string' || payload.sub === '') return refuse(describeRefusal(null));
        const groups = readGroups(payload, options.groupsClaim) ?? [];
        const administers = administersOf(groups, options.membership);
        return {
          kind: 'known',
          viewer: { id: payload.sub, name: readName(payload), administers },
          logoutUrl: null,
        };
      } catch (error) {
        if (error instanceof KeysUnavailable) {
          return {
            kind: 'unavailable',
            message: 'Your sign-in cannot be checked at the moment. Try again shortly.',
          };
        }
        if (!(error instanceof errors.JOSEError)) throw error;
        log.debug({ code: error.code }, 'page: a token was refused');
        return refuse(describeRefusal(error.code));
      }
    },
  };
}

class KeysUnavailable extends Error {}

/** Every other failure of a key lookup is about the keys: no answer, not 200, not a JWKS. */
function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function findToken(request: Request, header: string): string | null {
  const value = request.get(header);
  if (value === undefined) return null;
  const bearer = /^Bearer +(\S+)$/i.exec(value)?.[1];
  if (bearer !== undefined) return bearer;
  return header === 'authorization' ? null : value;
}

/** The code says enough to an operator; a person can do only one thing in each case. */
function describeRefusal(code: string | null): string {
  return code === 'ERR_JWT_EXPIRED'
    ? 'Your sign-in has expired. Open this page from your product again.'
    : 'Your sign-in is not valid for this page. Open this page from your product again.';
}

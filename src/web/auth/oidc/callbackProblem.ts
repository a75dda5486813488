/** What went wrong at the end of a login, for the person and for the log. */
import { errors } from 'jose';
import * as client from 'openid-client';
import type { ProblemView } from '../../views/views.ts';
import { describeFailure } from './describeFailure.ts';

export interface CallbackProblem {
  readonly status: number;
  readonly title: ProblemView['title'];
  readonly message: ProblemView['message'];
  /** An operator must look at it. */
  readonly isOurs: boolean;
}

export const expiredLogin: CallbackProblem = {
  status: 400,
  title: 'This sign-in is no longer valid',
  message: 'It took too long, was already used, or was started in another browser. Sign in again.',
  isOurs: false,
};

export const providerAway: CallbackProblem = {
  status: 503,
  title: 'Signing in is not possible right now',
  message: 'The identity provider does not answer. Try again in a moment; exports are not affected.',
  isOurs: true,
};

export const wrongIssuer = untrusted('It calls itself by another name than this page was told.');

/** @param error as openid-client or jose threw it. */
export function describeCallbackError(error: unknown): CallbackProblem {
  if (describeFailure(error).foundIssuer !== undefined) return wrongIssuer;
  if (error instanceof client.AuthorizationResponseError) return describeRefusal(error.error);
  if (error instanceof client.ResponseBodyError) {
    if (error.status >= 500 || error.status === 429) return providerAway;
    if (error.error === 'invalid_grant') return expiredLogin;
    return untrusted(`It refused this page (${safeCode(error.error)}).`);
  }
  if (error instanceof client.WWWAuthenticateChallengeError) return untrusted('It refused this page.');
  if (error instanceof client.ClientError && isWrongAnswer(error.code)) {
    return untrusted('Its answer was not valid.');
  }
  if (error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)) {
    return untrusted('Its answer was not signed with a key that it publishes.');
  }
  return providerAway;
}

function describeRefusal(code: string): CallbackProblem {
  switch (code) {
    case 'access_denied':
      return {
        status: 403,
        title: 'The identity provider did not let you in',
        message: 'The sign-in was refused or cancelled there. Sign in again, or ask its operator for access.',
        isOurs: false,
      };
    case 'temporarily_unavailable':
    case 'server_error':
      return providerAway;
    case 'login_required':
    case 'interaction_required':
    case 'consent_required':
      return expiredLogin;
    default:
      return untrusted(`It refused the sign-in (${safeCode(code)}).`);
  }
}

function untrusted(why: string): CallbackProblem {
  return {
    status: 502,
    title: 'The identity provider and this page disagree',
    message: `${why} Tell the operator of this page; the log has the details.`,
    isOurs: true,
  };
}

/** True for everything but a timeout or a failed connection. */
function isWrongAnswer(code: string | undefined): boolean {
  return code?.startsWith('OAUTH_') === true && code !== 'OAUTH_TIMEOUT' && code !== 'OAUTH_ABORT';
}

/** The code comes from an address, which anybody can write. */
function safeCode(code: string): string {
  return /^[a-z_]{1,40}$/.test(code) ? code : 'unknown reason';
}

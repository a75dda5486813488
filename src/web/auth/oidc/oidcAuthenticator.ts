/**
 * `AUTH_MODE=oidc`: people sign in at an identity provider, by the authorization code flow with PKCE.
 *
 *   /login → provider → /login/callback → session → /logout → provider → /signed-out
 *
 * People who are signed in stay signed in while the provider is away. Their groups are those of the login.
 */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import * as client from 'openid-client';
import type { Logger } from '../../../telemetry/logger.ts';
import { sendPage, sendProblem } from '../../reply/reply.ts';
import { makeClientAddress } from '../../security/clientAddress.ts';
import { limitByAddress, limitByParameter } from '../../security/rateLimits.ts';
import { nameRoute } from '../../security/requestLog.ts';
import type { Authenticator } from '../authenticator.ts';
import { administersOf, type MembershipRules } from '../membership.ts';
import { toLocalPath } from '../returnTo.ts';
import {
  type CallbackProblem,
  describeCallbackError,
  expiredLogin,
  providerAway,
  wrongIssuer,
} from './callbackProblem.ts';
import { describeFailure } from './describeFailure.ts';
import type { LoginCookies, PendingLogin } from './loginCookies.ts';
import type { LongReturns } from './longReturns.ts';
import { chooseScopes, type Provider } from './provider.ts';
import { type Person, readPerson } from './readPerson.ts';
import type { Sessions, SignedIn } from './sessions.ts';

export interface OidcOptions {
  /** Such as `https://audit.example.com`. */
  readonly publicOrigin: string;
  readonly scopes: string;
  readonly groupsClaim: string;
  readonly sessionAbsoluteMs: number;
  readonly membership: MembershipRules;
  /** Proxies whose X-Forwarded-For is believed, in CIDR notation. Default: none. */
  readonly trustedProxies?: readonly string[];
  readonly log: Logger;
}

export interface OidcParts {
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly loginCookies: LoginCookies;
  readonly longReturns: LongReturns;
}

const paths = {
  login: '/login',
  callback: '/login/callback',
  logout: '/logout',
  signedOut: '/signed-out',
  return: '/return/:id',
} as const;

/** Logins from one address. Signing out is never limited, and people behind one proxy do not share a limit. */
const loginsAMinute = 600;
/** Callbacks of one login: a person may reload a page that did not load, but a script must not hammer the provider. */
const answersAMinute = 10;

export function makeOidcAuthenticator(options: OidcOptions, parts: OidcParts): Authenticator {
  const { sessions, provider } = parts;

  /** null: nobody is signed in, or the session is too old. */
  function findSignedIn(request: Request): SignedIn | null {
    const signedIn = sessions.read(request);
    if (signedIn === null) return null;
    return Date.now() - signedIn.signedInAtMs < options.sessionAbsoluteMs ? signedIn : null;
  }

  const router = Router();
  router.use(sessions.middleware);
  const limit = limitByAddress(loginsAMinute, makeClientAddress(options.trustedProxies ?? []));
  const add = (method: 'get' | 'post', path: string, ...handlers: RequestHandler[]): void => {
    router[method](path, nameRoute(path), ...handlers);
  };
  add('get', paths.login, limit, async (request, response) => {
    const returnTo = toLocalPath(request.query['return_to']);
    if (findSignedIn(request) !== null) response.redirect(303, returnTo);
    else await beginLogin(response, await parts.longReturns.shorten(returnTo), options, parts);
  });
  add('get', paths.return, async (request, response) => {
    const url = (await parts.longReturns.find(String(request.params['id']))) ?? '/';
    // nginx takes 4 KB in all headers of an answer, so a redirect would fail.
    const title = 'You are signed in';
    const problem = {
      title,
      message: 'Opening the page that you asked for …',
      link: { url, text: 'Open it' },
    };
    sendPage({ response }, 'problem', problem, { title, moveTo: url });
  });
  add('get', paths.callback, limit, limitByParameter(answersAMinute, 'state'), (request, response) =>
    finishLogin(request, response, options, parts, findSignedIn(request) !== null),
  );
  add('post', paths.logout, async (request, response) => {
    const signedIn = sessions.read(request);
    await sessions.end(request, response);
    leaveProvider(request, response, signedIn, options, parts);
  });
  add('get', paths.signedOut, (request, response) => {
    sendProblem(request, response, 200, {
      title: 'You are signed out',
      message: 'Your session has ended. You can close this page or sign in again.',
      link: { url: paths.login, text: 'Sign in' },
    });
  });

  return {
    middleware: router,
    async identify(request) {
      const signedIn = findSignedIn(request);
      if (signedIn === null) {
        return { kind: 'anonymous', loginUrl: paths.login, message: 'Sign in to see this page.' };
      }
      const { id, name, groups } = signedIn;
      return {
        kind: 'known',
        viewer: { id, name, administers: administersOf(groups, options.membership) },
        logoutUrl: paths.logout,
      };
    },
    shortenReturn: (path) => parts.longReturns.shorten(path),
    stop() {
      provider.stop();
      sessions.stop();
    },
  };
}

async function beginLogin(
  response: Response,
  returnTo: string,
  options: OidcOptions,
  { provider, loginCookies }: OidcParts,
): Promise<void> {
  const configuration = provider.current();
  if (configuration === null) {
    sendCallbackProblem(response, provider.problem === 'away' ? providerAway : wrongIssuer, returnTo);
    return;
  }
  const pending: PendingLogin = {
    state: client.randomState(),
    nonce: client.randomNonce(),
    codeVerifier: client.randomPKCECodeVerifier(),
    returnTo,
  };
  loginCookies.keep(response, pending);
  const url = client.buildAuthorizationUrl(configuration, {
    redirect_uri: options.publicOrigin + paths.callback,
    scope: chooseScopes(configuration, options.scopes),
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
    code_challenge_method: 'S256',
  });
  response.redirect(302, url.href);
}

async function finishLogin(
  request: Request,
  response: Response,
  options: OidcOptions,
  { provider, loginCookies, sessions }: OidcParts,
  isSignedIn: boolean,
): Promise<void> {
  const { log } = options;
  const state = request.query['state'];
  const pending = loginCookies.take(request, response, typeof state === 'string' ? state : '');
  const configuration = provider.current();
  if (pending === null && isSignedIn) {
    // Another tab was quicker, or somebody went back to this address.
    response.redirect(303, '/');
    return;
  }
  if (pending === null || configuration === null) {
    sendCallbackProblem(response, pending === null ? expiredLogin : providerAway, pending?.returnTo ?? '/');
    return;
  }
  // The origin comes from the settings, not from the request, which may name any host.
  const url = new URL(options.publicOrigin + paths.callback);
  url.search = new URLSearchParams(request.originalUrl.split('?').slice(1).join('?')).toString();
  let person: Person;
  try {
    const tokens = await provider.redeem(configuration, url, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    });
    person = await readPerson(configuration, tokens, options.groupsClaim);
  } catch (error) {
    const problem = describeCallbackError(error);
    log[problem.isOurs ? 'error' : 'info'](
      { err: error, ...describeFailure(error) },
      'page: a sign-in failed',
    );
    sendCallbackProblem(response, problem, pending.returnTo);
    return;
  }
  await sessions.begin(request, person.signedIn);
  logSignIn(options, person);
  response.redirect(303, pending.returnTo);
}

/** Says in one line what a person may do here, and why not more: otherwise nobody can tell what the provider sent. */
function logSignIn({ log, membership, groupsClaim }: OidcOptions, person: Person): void {
  const { signedIn, groupsFrom, whyNoGroups, userInfoError } = person;
  const { id, groups } = signedIn;
  const administers = administersOf(groups, membership);
  const why =
    whyNoGroups ??
    (administers !== 'all' && administers.size === 0
      ? `None of the groups in ${groupsClaim} fits ADMIN_GROUP or is SUPER_ADMIN_GROUP.`
      : undefined);
  log.info(
    {
      viewer: id,
      groups: groups.length,
      groupsFrom,
      organizations: administers === 'all' ? 'all' : administers.size,
      ...(why !== undefined && { why }),
      ...(userInfoError !== null && { err: userInfoError, ...describeFailure(userInfoError) }),
    },
    'page: signed in',
  );
}

/**
 * Sends the browser on to sign out at the provider; the session here has already ended. Browsers apply `form-action` to
 * redirects of a form too, so this is a page that moves on automatically, not a redirect.
 */
function leaveProvider(
  request: Request,
  response: Response,
  signedIn: SignedIn | null,
  options: OidcOptions,
  { provider }: OidcParts,
): void {
  const configuration = provider.current();
  if (signedIn === null || configuration?.serverMetadata().end_session_endpoint === undefined) {
    response.redirect(303, paths.signedOut);
    return;
  }
  const url = client.buildEndSessionUrl(configuration, {
    post_logout_redirect_uri: options.publicOrigin + paths.signedOut,
    ...(signedIn.idToken === null ? {} : { id_token_hint: signedIn.idToken }),
  }).href;
  response.set('Refresh', `0; url=${url}`);
  sendProblem(request, response, 200, {
    title: 'You are signed out of this page',
    message: 'Signing you out of the identity provider too …',
    link: { url, text: 'Continue' },
  });
}

function sendCallbackProblem(response: Response, problem: CallbackProblem, returnTo: string): void {
  if (problem.status === 503) response.set('Retry-After', '5');
  sendProblem(response.req, response, problem.status, {
    title: problem.title,
    message: problem.message,
    link: { url: `${paths.login}?return_to=${encodeURIComponent(returnTo)}`, text: 'Sign in again' },
  });
}

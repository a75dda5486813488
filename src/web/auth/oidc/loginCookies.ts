/**
 * Keeps what a pending login must remember, sealed in a cookie of its own: nothing is stored for somebody who is not known
 * yet, and several tabs may sign in at the same time.
 */
import type { CookieOptions, Request, Response } from 'express';
import type { Secret } from '../../../model/secret.ts';
import { listSecrets, makeSeals, type SecretSource } from './seal.ts';

export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** A path of this page, short enough for a cookie. */
  readonly returnTo: string;
}

export interface LoginCookies {
  keep(response: Response, login: PendingLogin): void;
  /** Removes the cookie, whatever it holds; null: there is none for this state, or it is too old. */
  take(request: Request, response: Response, state: string): PendingLogin | null;
}

/** Long enough to look for a phone while signing in at the provider. */
const lifetimeSeconds = 15 * 60;
/** Unfinished logins leave their cookies behind, and too many of those make every request too large. This many stay beside a new one. */
const mostLeft = 2;

/**
 * @param isSecure whether browsers reach the page by https.
 * @param previousSecret still opens what was sealed with it.
 */
export function makeLoginCookies(
  secret: SecretSource,
  isSecure: boolean,
  previousSecret: Secret | null = null,
): LoginCookies {
  const previous = previousSecret === null ? [] : [previousSecret];
  const seals = makeSeals(() => [...listSecrets(secret), ...previous], 'audit-export login cookie');
  const options: CookieOptions = { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' };
  const nameOf = (state: string): string => `${isSecure ? '__Host-' : ''}login-${state.slice(0, 16)}`;
  return {
    keep(response, { state, nonce, codeVerifier, returnTo }) {
      // Browsers name the oldest first.
      const others = listCookies(response.req).filter(([name]) => name.startsWith(nameOf('')));
      for (const [name] of others.slice(0, -mostLeft)) response.clearCookie(name, options);
      const content: Content = [Date.now() + lifetimeSeconds * 1_000, nonce, codeVerifier, returnTo];
      const sealed = seals.seal(JSON.stringify(content), state);
      response.cookie(nameOf(state), sealed, { ...options, maxAge: lifetimeSeconds * 1_000 });
    },
    take(request, response, state) {
      if (!/^[\w-]{16,100}$/.test(state)) return null;
      const name = nameOf(state);
      const sealed = readCookie(request, name);
      if (sealed === undefined) return null;
      response.clearCookie(name, options);
      // Sealed for this state alone.
      const text = seals.open(sealed, state);
      if (text === null) return null;
      const [expiresAtMs, nonce, codeVerifier, returnTo] = JSON.parse(text) as Content;
      return Date.now() < expiresAtMs ? { state, nonce, codeVerifier, returnTo } : null;
    },
  };
}

/** A list, because names would make each cookie a quarter larger. */
type Content = readonly [expiresAtMs: number, nonce: string, codeVerifier: string, returnTo: string];

function readCookie(request: Request, name: string): string | undefined {
  return listCookies(request).find(([key]) => key === name)?.[1];
}

function listCookies(request: Request): Array<readonly [name: string, value: string]> {
  return (request.headers.cookie ?? '').split(';').map((pair) => {
    const [name = '', value = ''] = pair.trim().split('=');
    return [name, value];
  });
}

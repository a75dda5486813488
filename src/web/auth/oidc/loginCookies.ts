/**
 * Keeps what a pending login must remember, sealed in a cookie of its own: nothing is stored for somebody who is not known
 * yet, and several tabs may sign in at the same time.
 */
import type { CookieOptions, Request, Response } from 'express';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { Secret } from '../../../model/secret.ts';
import { deriveKey } from './seal.ts';

export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** A path of this page. */
  readonly returnTo: string;
}

export interface LoginCookies {
  keep(response: Response, login: PendingLogin): Promise<void>;
  /** Removes the cookie, whatever it holds; null: there is none for this state, or it is too old. */
  take(request: Request, response: Response, state: string): Promise<PendingLogin | null>;
}

/** Long enough to look for a phone while signing in at the provider. */
const lifetimeSeconds = 15 * 60;
/** Unfinished logins leave their cookies behind, and too many of those make every request too large. */
const mostLeft = 5;

/**
 * @param isSecure whether browsers reach the page by https.
 * @param previousSecret still opens what was sealed with it.
 */
export function makeLoginCookies(
  secret: Secret,
  isSecure: boolean,
  previousSecret: Secret | null = null,
): LoginCookies {
  const purpose = 'audit-export login cookie';
  const key = deriveKey(secret, purpose);
  const keys = [key, ...(previousSecret === null ? [] : [deriveKey(previousSecret, purpose)])];
  const options: CookieOptions = { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' };
  const nameOf = (state: string): string => `${isSecure ? '__Host-' : ''}login-${state.slice(0, 16)}`;
  return {
    async keep(response, login) {
      // Browsers name the oldest first.
      const others = listCookies(response.req).filter(([name]) => name.startsWith(nameOf('')));
      for (const [name] of others.slice(0, -mostLeft)) response.clearCookie(name, options);
      const sealed = await new EncryptJWT({ ...login })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setExpirationTime(`${lifetimeSeconds}s`)
        .encrypt(key);
      response.cookie(nameOf(login.state), sealed, { ...options, maxAge: lifetimeSeconds * 1_000 });
    },
    async take(request, response, state) {
      if (!/^[\w-]{16,100}$/.test(state)) return null;
      const name = nameOf(state);
      const sealed = readCookie(request, name);
      if (sealed === undefined) return null;
      response.clearCookie(name, options);
      for (const each of keys) {
        const login = await open(sealed, each);
        if (login !== null) return login.state === state ? login : null;
      }
      return null;
    },
  };
}

async function open(sealed: string, key: Uint8Array): Promise<PendingLogin | null> {
  try {
    const { payload } = await jwtDecrypt<PendingLogin>(sealed, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      requiredClaims: ['exp'],
    });
    return payload;
  } catch {
    return null;
  }
}

function readCookie(request: Request, name: string): string | undefined {
  return listCookies(request).find(([key]) => key === name)?.[1];
}

function listCookies(request: Request): Array<readonly [name: string, value: string]> {
  return (request.headers.cookie ?? '').split(';').map((pair) => {
    const [name = '', value = ''] = pair.trim().split('=');
    return [name, value];
  });
}

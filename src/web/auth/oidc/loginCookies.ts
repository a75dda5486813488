/**
 * What a login that is under way must remember, sealed in a cookie of its own: nothing is stored for somebody who is not
 * known yet, and several tabs may sign in at the same time.
 */
import { hkdfSync } from 'node:crypto';
import type { CookieOptions, Request, Response } from 'express';
import { EncryptJWT, jwtDecrypt } from 'jose';
import type { Secret } from '../../../model/secret.ts';

export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** A path of this page. */
  readonly returnTo: string;
}

export interface LoginCookies {
  keep(response: Response, login: PendingLogin): Promise<void>;
  /** Takes the cookie away, whatever is in it; null: there is none for this state, or it is too old. */
  take(request: Request, response: Response, state: string): Promise<PendingLogin | null>;
}

/** A login at the provider takes as long as somebody looks for their phone. */
const lifetimeSeconds = 15 * 60;

/** @param isSecure whether browsers reach the page by https. */
export function makeLoginCookies(secret: Secret, isSecure: boolean): LoginCookies {
  const key = new Uint8Array(hkdfSync('sha256', secret.reveal(), '', 'audit-export login cookie', 32));
  const options: CookieOptions = { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' };
  const nameOf = (state: string): string => `${isSecure ? '__Host-' : ''}login-${state.slice(0, 16)}`;
  return {
    async keep(response, login) {
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
      try {
        const { payload } = await jwtDecrypt<PendingLogin>(sealed, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
          requiredClaims: ['exp'],
        });
        return payload.state === state ? payload : null;
      } catch {
        return null;
      }
    },
  };
}

function readCookie(request: Request, name: string): string | undefined {
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = pair.trim().split('=');
    if (key === name) return value;
  }
  return undefined;
}

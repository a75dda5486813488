/** Lets a request through to a route, or says why not, and nothing else: no names, no counts. */

import { createHash } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sendProblem } from '../reply/reply.ts';
import type { Route } from '../routes.ts';
import { signedInPath } from '../session.ts';
import { isOrganizationName, organizationOf } from '../urls.ts';
import { isAdmin, type Viewer } from '../visit.ts';
import type { Authenticator, Identity } from './authenticator.ts';
import { toLocalPath } from './returnTo.ts';

/** Sets `response.locals.viewer`. */
export function requireAccess(
  authenticator: Authenticator,
  access: Route['access'] | undefined,
): RequestHandler {
  return async (request: Request, response: Response, next: NextFunction) => {
    const identity = await authenticator.identify(request);
    switch (identity.kind) {
      case 'anonymous':
        await askForLogin(request, response, identity, authenticator);
        return;
      case 'unavailable':
        response.set('Retry-After', '5');
        sendProblem(request, response, 503, {
          title: 'Signing in is not possible right now',
          message: identity.message,
        });
        return;
      case 'known':
        break;
    }
    const viewer = cleanViewer(identity.viewer);
    response.locals['viewer'] = viewer satisfies Viewer;
    response.locals['logoutUrl'] = identity.logoutUrl;
    const organization = organizationOf(request);
    if (access !== 'viewer' && !(isOrganizationName(organization) && isAdmin(viewer, organization))) {
      sendProblem(request, response, 403, {
        title: 'This page is for organization admins',
        message: 'You do not administer this organization, or it does not exist.',
      });
      return;
    }
    next();
  };
}

type Anonymous = Extract<Identity, { kind: 'anonymous' }>;

/**
 * Leads a person who opens a page to the login. A script gets 401 and no address to go to: a redirect would take a form from
 * somebody who is filling it in, and each login begun by a script would leave a cookie behind.
 */
async function askForLogin(
  request: Request,
  response: Response,
  { loginUrl, message }: Anonymous,
  authenticator: Authenticator,
): Promise<void> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (loginUrl !== null && isRead && isNavigation(request)) {
    const path = toLocalPath(request.originalUrl, longestReturn);
    const returnTo = (await authenticator.shortenReturn?.(path)) ?? path;
    response.redirect(302, `${loginUrl}?return_to=${encodeURIComponent(returnTo)}`);
    return;
  }
  // A form keeps what was typed only while its page stays open.
  const isForm = loginUrl !== null && !isRead;
  response.set('HX-Reswap', 'none');
  sendProblem(request, response, 401, {
    title: isForm ? 'You were signed out, and nothing was saved' : 'Sign in',
    message: isForm
      ? 'Keep this page open: sign in in a new tab, then come back and reload this page. Your browser then asks whether to send the form again, with all that you typed.'
      : message,
    ...(loginUrl !== null && {
      link: {
        url: `${loginUrl}?return_to=${encodeURIComponent(isForm ? signedInPath : '/')}`,
        text: isForm ? 'Sign in (new tab)' : 'Sign in',
        isNewTab: isForm,
      },
    }),
  });
}

/** Node accepts no more than 16 KB of address and headers. */
const longestReturn = 16_000;

/** The request of a person who opened an address, not of a script, an image, a frame, or a browser that looks ahead. */
function isNavigation(request: Request): boolean {
  if (request.get('HX-Request') === 'true' || request.get('HX-History-Restore-Request') === 'true')
    return false;
  if (request.get('Sec-Purpose') !== undefined) return false;
  const destination = request.get('Sec-Fetch-Dest');
  if (destination !== undefined) {
    return destination === 'document' && request.get('Sec-Fetch-Mode') === 'navigate';
  }
  // Old browsers, and any browser on plain http, say only what they would accept.
  const accept = request.get('Accept')?.trim() ?? '*/*';
  return accept === '*/*' || accept.includes('text/html');
}

/** In characters; every provider stays within it. */
const maxLength = 256;
/** Control characters, line separators, and characters that reverse the direction of the text around them. */
const unwritable = /[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu;

/**
 * Makes a person's name and id fit to be recorded, in every AUTH_MODE. People choose their names, and some choose their ids; a
 * text that the database refuses would leave what they do without an entry.
 */
function cleanViewer(viewer: Viewer): Viewer {
  return { ...viewer, id: cleanId(viewer.id), name: viewer.name === null ? null : cleanName(viewer.name) };
}

/** Replaces what cannot be written and keeps different ids different, so that nobody becomes somebody else. */
function cleanId(id: string): string {
  const clean = id.toWellFormed().replace(unwritable, '\ufffd');
  if (clean.length <= maxLength) return clean;
  const mark = createHash('sha256').update(id).digest('hex').slice(0, 32);
  return `${clean.slice(0, maxLength - 33).toWellFormed()}~${mark}`;
}

/** null: nothing is left of the name. */
function cleanName(name: string): string | null {
  const clean = name.toWellFormed().replace(unwritable, '').trim();
  return clean === '' ? null : [...clean].slice(0, maxLength).join('');
}

/** Lets a request through to a route, or says why not, and nothing else: no names, no counts. */

import { createHash } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sendProblem } from '../reply/reply.ts';
import type { Route } from '../routes.ts';
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
        askForLogin(request, response, identity);
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

/** A request by htmx cannot follow a redirect to another origin, so htmx is told to load the whole page there. */
function askForLogin(request: Request, response: Response, { loginUrl, message }: Anonymous): void {
  const url = loginUrl === null ? null : `${loginUrl}?return_to=${encodeURIComponent(findReturn(request))}`;
  const isScripted =
    request.get('HX-Request') === 'true' || request.get('HX-History-Restore-Request') === 'true';
  if (url !== null && isScripted) response.set('HX-Redirect', url);
  else if (url !== null && request.method === 'GET') {
    response.redirect(302, url);
    return;
  }
  sendProblem(request, response, 401, {
    title: 'Sign in',
    message,
    ...(url !== null && { link: { url, text: 'Sign in' } }),
  });
}

/** The page that the person is looking at, not the fragment that was requested or the address a form was sent to. */
function findReturn(request: Request): string {
  if (request.get('HX-Request') === 'true') {
    const current = request.get('HX-Current-URL') ?? '';
    const url = URL.canParse(current) ? new URL(current) : null;
    return toLocalPath(url === null ? '/' : url.pathname + url.search);
  }
  return request.method === 'GET' ? toLocalPath(request.originalUrl) : '/';
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

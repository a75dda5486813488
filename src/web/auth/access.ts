/** Lets a request through to a route, or says why not and nothing else: no names, no counts. */
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { sendProblem } from '../reply.ts';
import type { Route } from '../routes.ts';
import { isAdmin, type Viewer } from '../viewer.ts';
import type { Authenticator } from './authenticator.ts';

/** Sets `response.locals.viewer`. */
export function requireAccess(authenticator: Authenticator, access: Route['access']): RequestHandler {
  return async (request: Request, response: Response, next: NextFunction) => {
    const identity = await authenticator.identify(request);
    if (identity.kind === 'anonymous') {
      sendProblem(request, response, 401, { title: 'Sign in', message: identity.message, link: null });
      return;
    }
    const organization = String(request.params['organization'] ?? '');
    if (access === 'admin' && !isAdmin(identity.viewer, organization)) {
      sendProblem(request, response, 403, {
        title: 'This page is for organization admins',
        message: 'You do not administer this organization, or it does not exist.',
        link: null,
      });
      return;
    }
    response.locals['viewer'] = identity.viewer satisfies Viewer;
    response.locals['logoutUrl'] = identity.logoutUrl;
    next();
  };
}

/**
 * Refuses requests that other sites make a browser send: forms in a viewer's name (CSRF), and reads whose time or size would
 * tell those sites something.
 *
 * Decides by Fetch Metadata, which browsers send to https and localhost and no script can forge; where it is missing, by
 * Origin. OWASP accepts the pair in place of tokens (Cross-Site Request Forgery Prevention Cheat Sheet).
 */
import type { Request, RequestHandler } from 'express';
import { sendProblem } from '../reply/reply.ts';

const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/** @param publicOrigin from PUBLIC_URL; null: the origin of a form must be the host that it is sent to. */
export function refuseCrossSite(publicOrigin: string | null): RequestHandler {
  return (request, response, next) => {
    const isSafe = safeMethods.includes(request.method);
    if (isSafe ? mayRead(request) : mayWrite(request, publicOrigin)) {
      next();
      return;
    }
    sendProblem(request, response, 403, {
      title: 'This request came from another site',
      message: isSafe
        ? 'Another site asked for this in your name, so it was refused. Open the page at its own address.'
        : 'The browser did not say that the page itself sent this, so nothing was done. Reload the page and try again.',
    });
  };
}

/** True when a link or redirect of another site led here: what is recorded in a person's name takes a click of their own. */
export function isFromOtherSite(request: Request): boolean {
  const site = request.get('Sec-Fetch-Site');
  return site === 'cross-site' || site === 'same-site';
}

/** A link that a person follows is fine; an image, a frame or a script of another site is not. */
function mayRead(request: Request): boolean {
  const site = request.get('Sec-Fetch-Site');
  if (site === undefined || site === 'same-origin' || site === 'none') return true;
  return request.get('Sec-Fetch-Mode') === 'navigate' && request.get('Sec-Fetch-Dest') === 'document';
}

function mayWrite(request: Request, publicOrigin: string | null): boolean {
  const site = request.get('Sec-Fetch-Site');
  if (site !== undefined) return site === 'same-origin';
  const origin = request.get('Origin');
  if (origin === undefined) return false;
  if (publicOrigin !== null) return origin === publicOrigin;
  // "null" is the origin of sandboxed frames and of data: pages.
  return URL.canParse(origin) && new URL(origin).host === request.get('Host');
}

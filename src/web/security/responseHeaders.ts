/** The headers that every answer carries. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Allows nothing inline, nothing evaluated and nothing from elsewhere, so an entry's content cannot become a script. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    formAction: ["'self'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

const yearSeconds = 365 * 24 * 60 * 60;

/** @param publicOrigin from PUBLIC_URL; with https, browsers are told to keep using it, for this host only. */
export function setHeaders(publicOrigin: string | null): RequestHandler {
  return helmet({
    contentSecurityPolicy,
    strictTransportSecurity: publicOrigin?.startsWith('https:')
      ? { maxAge: yearSeconds, includeSubDomains: false }
      : false,
  });
}

/**
 * Use it after assets, which may be cached for ever: pages and fragments must not be cached at all. By `X-Audit-Export` the
 * page's scripts know an answer of the page from one of a proxy in front, such as its login.
 */
export const forbidKeeping: RequestHandler = (_request, response, next) => {
  response.set({
    'Cache-Control': 'no-store',
    Vary: 'HX-Request, HX-Request-Type',
    'X-Audit-Export': 'page',
  });
  next();
};

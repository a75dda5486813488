/** The headers that every answer carries. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/** Nothing inline, nothing evaluated, nothing from elsewhere: what an entry holds cannot become a script. */
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

/** @param publicOrigin of PUBLIC_URL; with https, browsers are told to stay with it, for this host alone. */
export function setHeaders(publicOrigin: string | null): RequestHandler {
  return helmet({
    contentSecurityPolicy,
    strictTransportSecurity: publicOrigin?.startsWith('https:')
      ? { maxAge: yearSeconds, includeSubDomains: false }
      : false,
  });
}

/** After assets, which may be kept for ever: pages and parts of them may not be kept at all. */
export const forbidKeeping: RequestHandler = (_request, response, next) => {
  response.set({ 'Cache-Control': 'no-store', Vary: 'HX-Request, HX-Request-Type' });
  next();
};

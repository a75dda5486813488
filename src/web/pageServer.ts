/**
 * The HTTP server for people: Organization → Audit Logs.
 *
 *   headers → log → assets → own site? → login → [route: who → how often → form → handler] → error page
 */
import { createServer, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import {
  closeServer,
  describeListenError,
  endConnectionsIdleAfterClose,
  listen,
} from '../operations/listen.ts';
import type { ListenAddress } from '../settings/values.ts';
import { requireAccess } from './auth/access.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { useAssets } from './reply/assets.ts';
import { sendProblem } from './reply/reply.ts';
import { routes } from './routes.ts';
import { answerBrokenRequest } from './security/brokenRequest.ts';
import { limitConnectionsByAddress } from './security/connections.ts';
import { refuseCrossSite } from './security/crossSite.ts';
import { answerErrors } from './security/errors.ts';
import { defaultRateLimits, makeRateLimits, makeTestLimit, type RateLimits } from './security/rateLimits.ts';
import { logRequests, nameRoute, type PageRequest } from './security/requestLog.ts';
import { forbidKeeping, setHeaders } from './security/responseHeaders.ts';
import { organizationOf } from './urls.ts';
import type { WebContext } from './visit.ts';

export interface PageServerOptions {
  readonly address: ListenAddress;
  readonly authenticator: Authenticator;
  readonly context: WebContext;
  /** From PUBLIC_URL. Default null: it is not known. */
  readonly publicOrigin?: string | null;
  readonly rateLimits?: RateLimits;
  /** Default: 500 of the 1,000 in all. */
  readonly mostConnectionsOfAddress?: number;
  /** Called for each request when it has been answered. */
  readonly observe?: (request: PageRequest) => void;
}

export type PageServer =
  | { readonly kind: 'listening'; readonly port: number; close(): Promise<void> }
  /** One sentence naming PAGE_ADDRESS. */
  | { readonly kind: 'failed'; readonly problem: string };

const closeGraceMs = 2_000;
/** A slow sender holds a connection no longer than this. */
const limits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
};
const mostConnections = 1_000;
/** Half of them: a proxy in front needs many, but nobody may have all. */
const mostConnectionsOfAddress = 500;
/** Closes a connection after this long without a byte in either direction, such as a download that nobody reads. */
const quietConnectionMs = 120_000;

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const server = createServer(limits, makeApp(options));
  server.maxConnections = mostConnections;
  limitConnectionsByAddress(server, options.mostConnectionsOfAddress ?? mostConnectionsOfAddress);
  server.setTimeout(quietConnectionMs);
  endConnectionsIdleAfterClose(server);
  server.on('clientError', answerBrokenRequest);
  const error = await listen(server, options.address);
  if (error !== null) {
    options.authenticator.stop?.();
    return { kind: 'failed', problem: describeListenError('PAGE_ADDRESS', error, options.address) };
  }
  server.on('error', (cause) => options.context.log.warn({ err: cause }, 'page: a connection failed'));
  return {
    kind: 'listening',
    port: (server.address() as AddressInfo).port,
    async close() {
      options.authenticator.stop?.();
      await closeServer(server, closeGraceMs);
    },
  };
}

function makeApp(options: PageServerOptions): Express {
  const { authenticator, publicOrigin = null, rateLimits: limits = defaultRateLimits } = options;
  const context: WebContext = { ...options.context, takeTest: makeTestLimit(limits.sentTest) };
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(setHeaders(publicOrigin));
  app.use(useAssets().router);
  app.use(logRequests(context.log, options.observe ?? (() => {})));
  app.use(forbidKeeping);
  app.use(refuseCrossSite(publicOrigin));
  if (authenticator.middleware) app.use(authenticator.middleware);
  const rateLimits = makeRateLimits(limits);
  for (const { method, path, access, cost, handler } of routes) {
    app[method](
      path,
      nameRoute(path),
      requireAccess(authenticator, access),
      ...rateLimits[cost],
      ...(method === 'post' ? readForm : []),
      (request, response) =>
        handler({
          request,
          response,
          viewer: response.locals['viewer'],
          organization: organizationOf(request),
          context,
        }),
    );
  }
  app.use((request, response) => {
    sendProblem(request, response, 404, {
      title: 'There is nothing here',
      message: 'The address is wrong, or what it pointed to is gone.',
      link: { url: '/', text: 'Go to the audit logs' },
    });
  });
  app.use(answerErrors(context.log));
  return app;
}

/** Certificates make forms long. A body of another type is not read and leaves the form empty. */
const readForm: RequestHandler[] = [
  express.urlencoded({ extended: false, limit: '256kb', parameterLimit: 200 }),
  (request, _response, next) => {
    request.body ??= {};
    next();
  },
];

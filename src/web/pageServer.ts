/**
 * The HTTP server for people: Organization → Audit Logs.
 *
 *   headers → assets → login → [route: who → how often → handler] → error page
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import helmet from 'helmet';
import {
  closeServer,
  describeListenError,
  endConnectionsIdleAfterClose,
  listen,
} from '../operations/listen.ts';
import type { ListenAddress } from '../settings/settings.ts';
import { requireAccess } from './auth/access.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { WebContext } from './context.ts';
import { sendProblem, useAssets } from './reply.ts';
import { routes } from './routes.ts';

export interface PageServerOptions {
  readonly address: ListenAddress;
  readonly authenticator: Authenticator;
  readonly context: WebContext;
}

export type PageServer =
  | { readonly kind: 'listening'; readonly port: number; close(): Promise<void> }
  /** One sentence naming PAGE_ADDRESS. */
  | { readonly kind: 'failed'; readonly problem: string };

const closeGraceMs = 2_000;
const requestTimeoutMs = 30_000;

export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, makeApp(options));
  endConnectionsIdleAfterClose(server);
  const error = await listen(server, options.address);
  if (error !== null) {
    return { kind: 'failed', problem: describeListenError('PAGE_ADDRESS', error, options.address) };
  }
  server.on('error', (cause) => options.context.log.warn({ err: cause }, 'page: a connection failed'));
  return {
    kind: 'listening',
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server, closeGraceMs),
  };
}

function makeApp({ authenticator, context }: PageServerOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(
    helmet({
      contentSecurityPolicy: {
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
      },
      strictTransportSecurity: false,
    }),
  );
  app.use(useAssets().router);
  app.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', Vary: 'HX-Request, HX-Request-Type' });
    next();
  });
  app.use(express.urlencoded({ extended: false, limit: '256kb', parameterLimit: 200 }));
  if (authenticator.middleware) app.use(authenticator.middleware);
  for (const { method, path, access, handler } of routes) {
    app[method](path, requireAccess(authenticator, access), (request, response) =>
      handler({
        request,
        response,
        viewer: response.locals['viewer'],
        organization: String(request.params['organization'] ?? ''),
        context,
      }),
    );
  }
  app.use((request, response) => {
    sendProblem(request, response, 404, {
      title: 'There is nothing here',
      message: 'The address is wrong, or what it named is gone.',
      link: { url: '/', text: 'Go to the audit logs' },
    });
  });
  app.use(answerErrors(context.log));
  return app;
}

/** Express knows it by its four parameters. */
function answerErrors(log: WebContext['log']): express.ErrorRequestHandler {
  return (error, request, response, next) => {
    log.error({ err: error, path: request.path }, 'page: a request failed');
    if (response.headersSent) {
      next(error);
      return;
    }
    sendProblem(request, response, 500, {
      title: 'This did not work',
      message:
        'Something failed inside the page; its log says what. Nothing was changed that you did not see confirmed.',
      link: null,
    });
  };
}

/**
 * The HTTP server for the platform: probes and metrics. It shows no secrets and no entries, and nothing can be changed
 * through it. Metrics name organizations, so they can require a token.
 *
 *  - `/livez`: is the process worth keeping? No I/O: a database that is down is no reason to restart.
 *  - `/readyz`: can it do its work? Runs the given checks, and never asks a receiver: one broken receiver must not take
 *    the replica out of service for all the others.
 *  - `/metrics`: Prometheus text.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import type { Secret } from '../model/secret.ts';
import type { ListenAddress } from '../settings/values.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Check, type CheckResult, makeReadiness } from './checks.ts';
import { closeServer, describeListenError, endConnectionsIdleAfterClose, listen } from './listen.ts';

export interface OperationsOptions {
  readonly address: ListenAddress;
  readonly checks: {
    readonly database: Check;
    readonly migrations: Check;
    readonly configs: Check;
  };
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>;
  /** What /metrics requires as a bearer token; null: nothing. */
  readonly metricsToken?: Secret | null;
  /** Looks at memory alone, such as when a loop last moved. */
  readonly isAlive: () => CheckResult;
  readonly logger: Logger;
}

export type OperationsServer =
  | {
      readonly kind: 'listening';
      readonly port: number;
      /** Takes no further connection, ends the idle ones, and after at most a second those with an answer under way. */
      close(): Promise<void>;
    }
  /** One sentence naming OPERATIONS_ADDRESS. */
  | { readonly kind: 'failed'; readonly problem: string };

const closeGraceMs = 1_000;
/** Probes and scrapes have no body and few headers. */
const requestTimeoutMs = 10_000;
/** Enough for every probe and scrape; further connections are closed at once. */
const maxConnections = 256;

export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, makeApp(options));
  server.maxConnections = maxConnections;
  server.headersTimeout = requestTimeoutMs;
  endConnectionsIdleAfterClose(server);
  const error = await listen(server, options.address);
  if (error !== null)
    return { kind: 'failed', problem: describeListenError('OPERATIONS_ADDRESS', error, options.address) };
  // A failure to accept one connection (too many open files) ends that connection, not the process.
  server.on('error', (cause) =>
    options.logger.warn({ err: cause }, 'operations server: a connection failed'),
  );
  return {
    kind: 'listening',
    port: (server.address() as AddressInfo).port,
    close: () => closeServer(server, closeGraceMs),
  };
}

function makeApp(options: OperationsOptions): Express {
  const readiness = makeReadiness(options.checks, options.logger);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use((_request, response, next) => {
    response.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    next();
  });

  const routes: Readonly<Record<string, RequestHandler>> = {
    '/livez': (_request, response) => {
      const { ok, message } = options.isAlive();
      response
        .status(ok ? 200 : 503)
        .type('text/plain')
        .send(`${message}\n`);
    },
    '/readyz': async (_request, response) => {
      const answer = await readiness();
      response.status(answer.ready ? 200 : 503).type('application/json');
      response.send(`${JSON.stringify(answer, null, 2)}\n`);
    },
    '/metrics': async (request, response) => {
      if (!isAuthorized(request.get('Authorization'), options.metricsToken ?? null)) {
        response.status(401).set('WWW-Authenticate', 'Bearer').type('text/plain');
        response.send('Give the value of METRICS_TOKEN as a bearer token.\n');
        return;
      }
      response.set('Content-Type', options.metrics.contentType).send(await options.metrics.render());
    },
  };
  for (const [path, handler] of Object.entries(routes)) {
    app.get(path, handler); // express answers HEAD from it too
    app.all(path, (request, response) => {
      response.status(405).set('Allow', 'GET, HEAD').type('text/plain');
      response.send(`${path} answers GET and HEAD, not ${request.method}.\n`);
    });
  }
  app.use((_request, response) => {
    response.status(404).type('text/plain').send('There are /livez, /readyz and /metrics here.\n');
  });
  app.use(answerWithoutDetails(options.logger));
  return app;
}

/** Compares hashes, in a time that reveals nothing about the token. */
function isAuthorized(header: string | undefined, token: Secret | null): boolean {
  if (token === null) return true;
  const given = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? '';
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(token.reveal()));
}

/** Replaces express's own handler, which prints the stack. Express recognizes it by its four parameters. */
function answerWithoutDetails(logger: Logger): express.ErrorRequestHandler {
  return (error, request, response, next) => {
    logger.error({ err: error, path: request.path }, 'operations server: a request failed');
    if (response.headersSent) {
      next(error);
      return;
    }
    response.status(500).type('text/plain').send('This failed inside the collector; see its log.\n');
  };
}

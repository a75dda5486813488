/**
 * The HTTP server for the platform: probes and metrics. No secrets, no entries, no way to change anything.
 *
 *  - `/livez`: is the process worth keeping? No I/O: a database that is down is no reason to restart.
 *  - `/readyz`: can it do its work? Asks the given checks, never a receiver: one broken receiver must not take the
 *    replica out of service for all the others.
 *  - `/metrics`: Prometheus text.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type RequestHandler } from 'express';
import type { ListenAddress } from '../settings/settings.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Check, type CheckResult, makeReadiness } from './checks.ts';

export interface OperationsOptions {
  readonly address: ListenAddress;
  readonly checks: {
    readonly database: Check;
    readonly migrations: Check;
    readonly configs: Check;
  };
  readonly metrics: Pick<Metrics, 'contentType' | 'render'>;
  /** Looks only at what is in memory, such as when a loop last moved. */
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

export async function startOperationsServer(options: OperationsOptions): Promise<OperationsServer> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, makeApp(options));
  endConnectionsIdleAfterClose(server);
  const error = await listen(server, options.address);
  if (error !== null) return { kind: 'failed', problem: describeListenError(error, options.address) };
  // A failure to accept one connection (too many open files) ends that connection, not the process.
  server.on('error', (cause) =>
    options.logger.warn({ err: cause }, 'operations server: a connection failed'),
  );
  return { kind: 'listening', port: (server.address() as AddressInfo).port, close: () => close(server) };
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
    '/metrics': async (_request, response) => {
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

/** Instead of express's own handler, which prints the stack. Express knows it by its four parameters. */
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

function listen(server: Server, { host, port }: ListenAddress): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port }, () => {
      server.off('error', resolve);
      resolve(null);
    });
  });
}

function describeListenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return `OPERATIONS_ADDRESS is ${address}, ${explain(error.code)}.`;
}

function explain(code: string | undefined): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'which something else listens on already: stop that, or choose another port';
    case 'EACCES':
      return 'which this user may not listen on: choose a port from 1024 up';
    case 'EADDRNOTAVAIL':
      return 'which is no address of this machine: choose one of its own, or 0.0.0.0 for all';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'a host name that cannot be resolved: write an IP address, such as 0.0.0.0';
    case 'EAFNOSUPPORT':
      return 'an IPv6 address, but this machine has no IPv6: choose an IPv4 address';
    default:
      return `which cannot be listened on (${code ?? 'unknown error'}): choose another address`;
  }
}

/** Node ends the connections that are idle when `close` is called, and leaves those that become idle later open. */
function endConnectionsIdleAfterClose(server: Server): void {
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await closed;
  clearTimeout(timer);
}

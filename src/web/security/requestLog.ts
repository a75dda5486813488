/** Logs and observes each request once: who asked for what, and how it went. Never a value of its query or form. */
import type { RequestHandler } from 'express';
import type { Logger } from '../../telemetry/logger.ts';
import { isPoll } from '../reply/polledRequest.ts';
import type { Viewer } from '../visit.ts';

export interface PageRequest {
  readonly method: string;
  /** As in the route table; `none` where no route matched. */
  readonly route: string;
  /** `aborted` when the client disconnected before the answer was complete. */
  readonly status: string;
  readonly durationMs: number;
}

/** Logs successful polls at debug: an open page would fill the log. */
export function logRequests(log: Logger, observe: (request: PageRequest) => void): RequestHandler {
  return (request, response, next) => {
    const startMs = performance.now();
    // Sessions, limits and this function listen for the end, and a download's pipeline several times more: more than Node's default of ten.
    response.setMaxListeners(32);
    response.once('close', () => {
      const { viewer, route = 'none' } = response.locals as { viewer?: Viewer; route?: string };
      const durationMs = performance.now() - startMs;
      const status = response.writableFinished ? String(response.statusCode) : 'aborted';
      observe({ method: request.method, route, status, durationMs });
      const isQuiet = isPoll(request) && response.statusCode < 400;
      log[isQuiet ? 'debug' : 'info'](
        {
          method: request.method,
          route,
          status,
          durationMs: Math.round(durationMs * 10) / 10,
          viewer: viewer?.id ?? null,
        },
        'page: request',
      );
    });
    next();
  };
}

/** Notes which route it is, before anything in the route can fail. */
export function nameRoute(path: string): RequestHandler {
  return (_request, response, next) => {
    response.locals['route'] = path;
    next();
  };
}

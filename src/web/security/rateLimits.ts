/**
 * Limits how often one viewer may ask in one organization, by what the route costs, so that one person's script does not
 * take the page away from everybody else. Each replica counts its own requests.
 */
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { sendProblem } from '../reply/reply.ts';
import type { Route } from '../routes.ts';
import type { Viewer, Visit } from '../visit.ts';

export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
  /** Requests at the same time. */
  readonly atOnce: number;
}

/** `sentTest`: test records, counted where one is sent: a wrong form costs none, and adding a destination sends one, too. */
export type RateLimits = Readonly<Record<Route['cost'] | 'sentTest', RateLimit>>;

const minuteMs = 60_000;

export const defaultRateLimits: RateLimits = {
  // Polls of an open drawer and list are 18 a minute for each tab.
  read: { requests: 600, windowMs: minuteMs, atOnce: 16 },
  // Typing starts a search after each pause of 300 ms; the browser cancels searches it no longer needs.
  search: { requests: 120, windowMs: minuteMs, atOnce: 4 },
  download: { requests: 20, windowMs: 60 * minuteMs, atOnce: 2 },
  test: { requests: 60, windowMs: minuteMs, atOnce: 2 },
  // Each sends a request to an address that the viewer chose.
  sentTest: { requests: 30, windowMs: minuteMs, atOnce: 2 },
  write: { requests: 60, windowMs: minuteMs, atOnce: 4 },
};

/** Makes handlers for each cost, shared by its routes. They come after `requireAccess`, which says who is asking. */
export function makeRateLimits(limits: RateLimits): Record<Route['cost'], RequestHandler[]> {
  const handlers = Object.entries(limits).map(([cost, { requests, windowMs, atOnce }]) => {
    return [cost, [limitRate(requests, windowMs), limitAtOnce(atOnce)]];
  });
  return Object.fromEntries(handlers);
}

/** Counts the test records of each viewer in each organization; a sentence says why none may be sent now, and until when. */
export function makeTestLimit({
  requests,
  windowMs,
}: RateLimit): (visit: Pick<Visit, 'viewer' | 'organization'>) => string | null {
  const windows = new Map<string, { sent: number; readonly endsAt: number }>();
  return ({ viewer, organization }) => {
    const now = performance.now();
    for (const [key, { endsAt }] of windows) if (endsAt <= now) windows.delete(key);
    const key = JSON.stringify([viewer.id, organization]);
    const window = windows.get(key) ?? { sent: 0, endsAt: now + windowMs };
    windows.set(key, window);
    if (window.sent < requests) {
      window.sent += 1;
      return null;
    }
    const seconds = Math.ceil((window.endsAt - now) / 1_000);
    const most = requests === 1 ? '1 test record' : `${requests} test records`;
    return `You can send ${most} ${describeWindow(windowMs)}. Wait ${describeSeconds(seconds)}, then try again.`;
  };
}

/**
 * Limits addresses that are open to unknown people, such as a login. Counts by client address, if that tells people apart: behind an
 * address that a whole company shares, anybody could lock the others out.
 */
export function limitByAddress(
  requests: number,
  findAddress: (request: Request) => string | null,
): RequestHandler {
  const limit = limitRate(requests, minuteMs, (request) => findAddress(request) ?? '');
  return (request, response, next) =>
    findAddress(request) === null ? next() : limit(request, response, next);
}

/** Counts by a value of the query, such as the state of a login, whose answer costs a request to somebody else. */
export function limitByParameter(requests: number, name: string): RequestHandler {
  return limitRate(requests, minuteMs, (request) =>
    createHash('sha256')
      .update(JSON.stringify(request.query[name] ?? null))
      .digest('base64url'),
  );
}

function limitRate(
  requests: number,
  windowMs: number,
  keyGenerator: (request: Request, response: Response) => string = keyOf,
): RequestHandler {
  return rateLimit({
    limit: requests,
    windowMs,
    keyGenerator,
    standardHeaders: false,
    legacyHeaders: false,
    handler(request, response) {
      const seconds = Number(response.getHeader('Retry-After') ?? Math.ceil(windowMs / 1_000));
      refuse(request, response, `You can do this ${requests} times ${describeWindow(windowMs)}.`, seconds);
    },
  });
}

function limitAtOnce(atOnce: number): RequestHandler {
  const running = new Map<string, number>();
  return (request, response, next) => {
    const key = keyOf(request, response);
    const count = running.get(key) ?? 0;
    if (count >= atOnce) {
      refuse(request, response, `${atOnce} of your requests like this one are still running.`, 1);
      return;
    }
    running.set(key, count + 1);
    response.once('close', () => {
      const left = (running.get(key) ?? 1) - 1;
      if (left > 0) running.set(key, left);
      else running.delete(key);
    });
    next();
  };
}

function keyOf(request: Request, response: Response): string {
  const viewer = response.locals['viewer'] as Viewer | undefined;
  return JSON.stringify([viewer?.id, request.params['organization']]);
}

function refuse(request: Request, response: Response, why: string, seconds: number): void {
  response.set('Retry-After', String(seconds));
  sendProblem(request, response, 429, {
    title: 'Too many requests',
    message: `${why} Wait ${describeSeconds(seconds)}, then try again.`,
  });
}

function describeSeconds(seconds: number): string {
  if (seconds >= 120) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

function describeWindow(windowMs: number): string {
  return windowMs <= minuteMs ? 'a minute' : 'an hour';
}

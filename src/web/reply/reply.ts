/** Sends what was rendered: a fragment to htmx, a whole page to everybody else. */
import type { Request, Response } from 'express';
import type { ProblemPartView, ProblemView, Views } from '../views/views.ts';
import type { Viewer, Visit } from '../visit.ts';
import { useAssets } from './assets.ts';
import { render, renderPage, type Shell } from './render.ts';

/** True when htmx wants a fragment; a history restore wants the whole page. */
export function isFragmentRequest(request: Request): boolean {
  return request.get('HX-Request') === 'true' && request.get('HX-Request-Type') === 'partial';
}

/** The id that htmx will swap, such as `results` for `section#results`; null when it did not say. */
export function fragmentTarget(request: Request): string | null {
  return request.get('HX-Target')?.split('#')[1] ?? null;
}

export function sendPage<K extends keyof Views>(
  visit: Pick<Visit, 'response'> & Partial<Pick<Visit, 'viewer' | 'organization'>>,
  name: K,
  data: Views[K],
  options: {
    readonly title: string;
    readonly status?: number;
    /** HTML of the drawer, open over the page. */
    readonly drawer?: string;
    /** Where the page moves on to by itself: for an address that is too long for a header. Default: nowhere. */
    readonly moveTo?: string;
  },
): void {
  const { viewer } = visit;
  const shell: Shell = {
    title: options.title,
    organization: visit.organization || null,
    organizations: viewer && viewer.administers !== 'all' ? [...viewer.administers].sort() : null,
    viewerName: viewer ? (viewer.name ?? viewer.id) : null,
    logoutUrl: visit.response.locals['logoutUrl'] ?? null,
    drawer: options.drawer ?? '',
    moveTo: options.moveTo ?? null,
    assets: useAssets().urls,
  };
  visit.response
    .status(options.status ?? 200)
    .type('html')
    .send(renderPage(name, data, shell));
}

export function sendFragment<K extends keyof Views>(
  { response }: Pick<Visit, 'response'>,
  name: K,
  data: Views[K],
  status = 200,
): void {
  response.status(status).type('html').send(render(name, data));
}

const shapes: Readonly<Record<string, ProblemPartView['shape']>> = {
  'drawer-body': 'drawer',
  results: 'results',
  main: 'results',
  more: 'row',
};

/** Sends a sentence as a page or, to htmx, as a fragment of the shape that it replaces: otherwise the target would vanish. */
export function sendProblem(
  request: Request,
  response: Response,
  status: number,
  problem: ProblemView,
): void {
  if (request.get('Accept')?.startsWith('text/plain') === true) {
    // A script that downloads or copies: it shows the sentence itself.
    response.status(status).type('text').send(`${problem.title}. ${problem.message}`);
    return;
  }
  if (!isFragmentRequest(request)) {
    // People who are known see their own name, and can sign out if it is the wrong one.
    const viewer = response.locals['viewer'] as Viewer | undefined;
    sendPage({ response, ...(viewer && { viewer }) }, 'problem', problem, { title: problem.title, status });
    return;
  }
  const target = fragmentTarget(request);
  const shape = shapes[target ?? ''] ?? 'notice';
  if (target === 'main') response.set({ 'HX-Retarget': '#results', 'HX-Reswap': 'outerHTML' });
  const retryUrl = shape === 'row' && status >= 429 ? request.originalUrl : null;
  sendFragment({ response }, 'problem-part', { ...problem, shape, retryUrl }, status);
}

/** A signal that aborts when the client disconnects before the answer is complete. */
export function whenGone(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

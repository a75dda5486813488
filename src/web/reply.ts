/** Sending what was rendered: a fragment to htmx, a whole page to everybody else. */
import type { Request, Response } from 'express';
import { type Assets, loadAssets } from './assets.ts';
import { render, renderPage, type Shell } from './render.ts';
import type { ProblemView, Views } from './views.ts';
import type { Visit } from './visit.ts';

let assets: Assets | undefined;

export function useAssets(): Assets {
  assets ??= loadAssets();
  return assets;
}

/** htmx asks for a part, and Back does not: a history restore wants the page. */
export function isFragmentRequest(request: Request): boolean {
  return request.get('HX-Request') === 'true' && request.get('HX-Request-Type') === 'partial';
}

/** The id htmx will swap, such as `results` for `section#results`; null when it did not say. */
export function fragmentTarget(request: Request): string | null {
  return request.get('HX-Target')?.split('#')[1] ?? null;
}

export function sendPage<K extends keyof Views>(
  visit: Pick<Visit, 'response'> & Partial<Pick<Visit, 'viewer' | 'organization'>>,
  name: K,
  data: Views[K],
  options: { readonly title: string; readonly status?: number },
): void {
  const { viewer } = visit;
  const shell: Shell = {
    title: options.title,
    organization: visit.organization || null,
    organizations: viewer && viewer.administers !== 'all' ? [...viewer.administers].sort() : null,
    viewerName: viewer ? (viewer.name ?? viewer.id) : null,
    logoutUrl: visit.response.locals['logoutUrl'] ?? null,
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

/** The same sentence as a page or, to htmx, as a part. */
export function sendProblem(
  request: Request,
  response: Response,
  status: number,
  problem: ProblemView,
): void {
  if (isFragmentRequest(request)) sendFragment({ response }, 'problem', problem, status);
  else sendPage({ response }, 'problem', problem, { title: problem.title, status });
}

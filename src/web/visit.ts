/** One request that was let through, and the handler that answers it. */
import type { Request, Response } from 'express';
import type { Viewer } from './viewer.ts';
import type { WebContext } from './webContext.ts';

/** What a handler gets of a request that was let through. */
export interface Visit {
  readonly request: Request;
  readonly response: Response;
  readonly viewer: Viewer;
  /** The organization of the path, which the viewer administers; empty for routes without one. */
  readonly organization: string;
  readonly context: WebContext;
}

/** Rejections reach the error page. */
export type Handler = (visit: Visit) => Promise<void>;

/** One request that was let through: who is asking, the handler that answers it, and what handlers work with. */
import type { Request, Response } from 'express';
import type { ConfigEditor } from '../configs/configEditor.ts';
import type { Database } from '../database/pool.ts';
import type { Destination } from '../model/exportConfig.ts';
import type { Outcome } from '../model/outcome.ts';
import type { PortReport } from '../model/portReport.ts';
import type { Logger } from '../telemetry/logger.ts';

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

/** The person who is asking, as far as the page cares. */
export interface Viewer {
  /** Stable; the actor of the page's own audit entries. */
  readonly id: string;
  readonly name: string | null;
  /** The organizations this person administers. `all` only in local mode. */
  readonly administers: ReadonlySet<string> | 'all';
}

export function isAdmin(viewer: Viewer, organization: string): boolean {
  return viewer.administers === 'all' || viewer.administers.has(organization);
}

export interface WebContext {
  /** The page's own connections, so that a slow search takes none from the delivery. */
  readonly db: Database;
  /** undefined: the config source is read-only. */
  readonly editor: ConfigEditor | undefined;
  /** One attempt, through the guarded transport that deliveries use, and what its answer means. */
  readonly send: (
    destination: Destination,
    body: Uint8Array,
    signal: AbortSignal,
    organization: string,
  ) => Promise<Outcome | 'aborted'>;
  /** What answers at the port of a destination, through the same guard; null: it may not be connected to. */
  readonly inspect: (
    destination: Destination,
    signal: AbortSignal,
    organization: string,
  ) => Promise<PortReport | null>;
  /** Counts a test record; a sentence: none may be sent now. Absent: they are not counted. */
  readonly takeTest?: (visit: Pick<Visit, 'viewer' | 'organization'>) => string | null;
  /** Destinations of one organization. Default 10. */
  readonly maxDestinations?: number;
  /** Milliseconds between two tries, at most: of a failure that passes, and of one that needs a person. */
  readonly pace?: { readonly retryMs: number; readonly holdMs: number };
  readonly serviceName: string;
  readonly version: string;
  readonly log: Logger;
}

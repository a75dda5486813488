/** How the page knows who is asking: one implementation for each AUTH_MODE. */
import type { Request, RequestHandler } from 'express';
import type { Viewer } from '../visit.ts';

export interface Authenticator {
  /** Handles its own addresses (login, callback, logout) and sessions, before everything else; null: it has none. */
  readonly middleware: RequestHandler | null;
  identify(request: Request): Promise<Identity>;
  /** An address to come back to after a login, short enough for `return_to`. Default: it is passed on as it is. */
  shortenReturn?(path: string): Promise<string>;
  /** Ends its background work. */
  stop?(): void;
}

export type Identity =
  | { readonly kind: 'known'; readonly viewer: Viewer; readonly logoutUrl: string | null }
  /**
   * `loginUrl` starts a login and takes `?return_to=`, the address to come back to; null: there is nothing to click, and
   * `message` says what to do.
   */
  | { readonly kind: 'anonymous'; readonly loginUrl: string | null; readonly message: string }
  /** Whatever knows people is away, so nobody gets in. */
  | { readonly kind: 'unavailable'; readonly message: string };

/** For a mode without a login of its own: there is nothing to click. */
export function refuse(message: string): Identity {
  return { kind: 'anonymous', loginUrl: null, message };
}
